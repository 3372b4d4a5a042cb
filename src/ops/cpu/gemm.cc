// OpenBLAS when the system has it, else a plain vectorised loop.
//
// OpenBLAS is opened at run time, for two reasons: the program then also runs where it is not installed, and the kernel
// can be named before the library looks at the CPU. Releases that are older than the CPU take it for an unknown one and
// fall back to AVX2 or less, which halves the speed on machines with AVX-512; an OPENBLAS_CORETYPE in the environment
// is most often a cure for that, and no better than ours. LTRI_BLAS_CORE has the last word.
#include "ops/gemm.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>

namespace ltri {
namespace {

constexpr int kRowMajor = 101;
constexpr int kNoTranspose = 111;
constexpr int kTranspose = 112;

using Sgemm = void (*)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float* a, int lda,
                       const float* b, int ldb, float beta, float* c, int ldc);

struct Blas {
  Sgemm sgemm = nullptr;
  std::string name = "built-in";
};

bool HasAvx512() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
#else
  return false;
#endif
}

Blas OpenBlas() {
  if (const char* core = std::getenv("LTRI_BLAS_CORE"); core != nullptr) {
    setenv("OPENBLAS_CORETYPE", core, /*replace=*/1);
  } else if (HasAvx512()) {
    setenv("OPENBLAS_CORETYPE", "SkylakeX", /*replace=*/1);
  }
  setenv("OPENBLAS_NUM_THREADS", "1", /*replace=*/1);  // the thread pool splits the work
  Blas blas;
  void* library = nullptr;
  for (const char* name : {"libopenblas.so.0", "libopenblas.so", "libopenblas.dylib"}) {
    library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) break;
  }
  if (library == nullptr) return blas;
  blas.sgemm = reinterpret_cast<Sgemm>(dlsym(library, "cblas_sgemm"));
  auto core = reinterpret_cast<char* (*)()>(dlsym(library, "openblas_get_corename"));
  if (blas.sgemm != nullptr) blas.name = std::string("OpenBLAS ") + (core != nullptr ? core() : "");
  return blas;
}

const Blas& TheBlas() {
  static const Blas blas = OpenBlas();
  return blas;
}

// Rows of B are contiguous over k: dot products, four at a time so that the loads of A are shared.
void PlainTransposed(int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t lda, const float* b,
                     int64_t ldb, float beta, float* c, int64_t ldc) {
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      const float* x = a + i * lda;
      const float* y = b + j * ldb;
      float sum[8] = {};
      int64_t t = 0;
      for (; t + 8 <= k; t += 8) {
        for (int64_t u = 0; u < 8; ++u) sum[u] += x[t + u] * y[t + u];
      }
      float total = ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
      for (; t < k; ++t) total += x[t] * y[t];
      float& out = c[i * ldc + j];
      out = alpha * total + (beta == 0.0F ? 0.0F : beta * out);
    }
  }
}

void Plain(int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t lda, const float* b, int64_t ldb,
           float beta, float* c, int64_t ldc) {
  for (int64_t i = 0; i < m; ++i) {
    float* out = c + i * ldc;
    for (int64_t j = 0; j < n; ++j) out[j] = beta == 0.0F ? 0.0F : beta * out[j];
    for (int64_t t = 0; t < k; ++t) {
      const float x = alpha * a[i * lda + t];
      const float* row = b + t * ldb;
      for (int64_t j = 0; j < n; ++j) out[j] += x * row[j];
    }
  }
}

}  // namespace

void GemmTransposed(int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t lda, const float* b,
                    int64_t ldb, float beta, float* c, int64_t ldc) {
  if (TheBlas().sgemm == nullptr) return PlainTransposed(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  TheBlas().sgemm(kRowMajor, kNoTranspose, kTranspose, static_cast<int>(m), static_cast<int>(n), static_cast<int>(k),
                  alpha, a, static_cast<int>(lda), b, static_cast<int>(ldb), beta, c, static_cast<int>(ldc));
}

void Gemm(int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t lda, const float* b, int64_t ldb,
          float beta, float* c, int64_t ldc) {
  if (TheBlas().sgemm == nullptr) return Plain(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  TheBlas().sgemm(kRowMajor, kNoTranspose, kNoTranspose, static_cast<int>(m), static_cast<int>(n), static_cast<int>(k),
                  alpha, a, static_cast<int>(lda), b, static_cast<int>(ldb), beta, c, static_cast<int>(ldc));
}

std::string GemmName() { return TheBlas().name; }

}  // namespace ltri
