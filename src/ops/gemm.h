// Single-precision matrix product on one thread; callers split the work.
#ifndef LTRI_OPS_GEMM_H_
#define LTRI_OPS_GEMM_H_

#include <cstdint>
#include <string>

namespace ltri {

// C = alpha A B^T + beta C.  A: [m, k] rows lda apart, B: [n, k] rows ldb apart, C: [m, n] rows ldc apart.
void GemmTransposed(int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t lda, const float* b,
                    int64_t ldb, float beta, float* c, int64_t ldc);

// C = alpha A B + beta C.  A: [m, k], B: [k, n], C: [m, n].
void Gemm(int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t lda, const float* b, int64_t ldb,
          float beta, float* c, int64_t ldc);

// What computes the products, for people: "OpenBLAS SkylakeX" or "built-in".
std::string GemmName();

}  // namespace ltri

#endif  // LTRI_OPS_GEMM_H_
