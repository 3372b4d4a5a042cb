#include "ops/cuda/gemm.h"

#include <cublasLt.h>
#include <cuda_runtime.h>

#include "ops/cuda/pointwise.h"

namespace ltri::cuda {
namespace {

constexpr int64_t kWorkspace = int64_t{64} << 20;

void CheckBlas(cublasStatus_t status) {
  if (status != CUBLAS_STATUS_SUCCESS) Check(cudaErrorUnknown, cublasLtGetStatusString(status));
}

cublasLtHandle_t Handle(void* handle) { return static_cast<cublasLtHandle_t>(handle); }

}  // namespace

// Column-major names: the result's columns are our rows.
struct Gemm::Plan {
  cublasLtMatmulDesc_t operation = nullptr;
  cublasLtMatrixLayout_t w = nullptr;
  cublasLtMatrixLayout_t x = nullptr;
  cublasLtMatrixLayout_t y = nullptr;
  cublasLtMatmulAlgo_t algorithm{};
  float beta = 0;

  ~Plan() {
    cublasLtMatrixLayoutDestroy(y);
    cublasLtMatrixLayoutDestroy(x);
    cublasLtMatrixLayoutDestroy(w);
    cublasLtMatmulDescDestroy(operation);
  }
};

Gemm::Gemm() : workspace_(kWorkspace) {
  cublasLtHandle_t handle = nullptr;
  CheckBlas(cublasLtCreate(&handle));
  handle_ = handle;
}

Gemm::~Gemm() {
  plans_.clear();
  cublasLtDestroy(Handle(handle_));
}

Gemm::Plan& Gemm::PlanFor(const Key& key) {
  std::unique_ptr<Plan>& plan = plans_[key];
  if (plan != nullptr) return *plan;
  plan = std::make_unique<Plan>();
  const auto& [outputs, rows, cols, stride, type, result] = key;
  const cudaDataType_t input = type == Float16::kHalf ? CUDA_R_16F : CUDA_R_16BF;
  const cudaDataType_t output = result == GemmResult::kFloat16 ? input : CUDA_R_32F;
  const cublasOperation_t transposed = CUBLAS_OP_T;
  CheckBlas(cublasLtMatmulDescCreate(&plan->operation, CUBLAS_COMPUTE_32F, CUDA_R_32F));
  CheckBlas(
      cublasLtMatmulDescSetAttribute(plan->operation, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof(transposed)));
  const auto size = [](int64_t n) { return static_cast<uint64_t>(n); };
  CheckBlas(cublasLtMatrixLayoutCreate(&plan->w, input, size(cols), size(outputs), cols));
  CheckBlas(cublasLtMatrixLayoutCreate(&plan->x, input, size(cols), size(rows), cols));
  CheckBlas(cublasLtMatrixLayoutCreate(&plan->y, output, size(outputs), size(rows), stride));
  plan->beta = result == GemmResult::kAddFloat ? 1.0F : 0.0F;
  cublasLtMatmulPreference_t preference = nullptr;
  CheckBlas(cublasLtMatmulPreferenceCreate(&preference));
  const auto most = static_cast<size_t>(kWorkspace);
  CheckBlas(
      cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &most, sizeof(most)));
  cublasLtMatmulHeuristicResult_t found{};
  int count = 0;
  CheckBlas(cublasLtMatmulAlgoGetHeuristic(Handle(handle_), plan->operation, plan->w, plan->x, plan->y, plan->y,
                                           preference, 1, &found, &count));
  if (count == 0) CheckBlas(CUBLAS_STATUS_NOT_SUPPORTED);
  plan->algorithm = found.algo;
  cublasLtMatmulPreferenceDestroy(preference);
  return *plan;
}

void Gemm::Multiply(Stream stream, const DeviceMatrix& w, Float16 type, const void* x, int64_t rows, GemmResult result,
                    void* y, int64_t outputs, int64_t column) {
  const void* weights = w.values;
  if (w.packing == Packing::kInt4 || w.packing == Packing::kInt8) {
    unpacked_.Reserve(w.rows * w.cols * 2);
    Unpack(stream, w, unpacked_.as<void>());
    weights = unpacked_.as<void>();
  }
  const Plan& plan = PlanFor({w.rows, rows, w.cols, outputs, type, result});
  const float alpha = 1;
  const int64_t size = result == GemmResult::kFloat16 ? 2 : 4;
  void* out = static_cast<char*>(y) + column * size;
  CheckBlas(cublasLtMatmul(Handle(handle_), plan.operation, &alpha, weights, plan.w, x, plan.x, &plan.beta, out, plan.y,
                           out, plan.y, &plan.algorithm, workspace_.as<void>(), static_cast<size_t>(kWorkspace),
                           stream));
}

}  // namespace ltri::cuda
