// The oracle of src/ops: every operation as plain loops in double precision, and random operands.
#ifndef LTRI_TESTS_SUPPORT_OPS_REFERENCE_H_
#define LTRI_TESTS_SUPPORT_OPS_REFERENCE_H_

#include <cstdint>
#include <random>
#include <vector>

#include "base/half.h"
#include "ops/attend.h"
#include "ops/index_scan.h"
#include "weights/model_config.h"

namespace ltri::testing {

// Reproducible operands.
class Operands {
 public:
  explicit Operands(uint64_t seed) : engine_(seed) {}

  // Uniform in [low, high].
  int64_t Int(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(engine_() % static_cast<uint64_t>(high - low + 1));
  }
  float Float(float spread) { return spread * (static_cast<float>(engine_() >> 40U) * 0x1p-23F - 1.0F); }
  std::vector<float> Floats(int64_t count, float spread = 1.0F);
  std::vector<Half> Halves(int64_t count, float spread = 1.0F);

 private:
  std::mt19937_64 engine_;
};

// y = x W^T + bias. x: [rows, cols], w: [outputs, cols], bias: [outputs] or empty; y: [rows, outputs].
std::vector<double> MatmulReference(const std::vector<float>& x, const std::vector<float>& w, int64_t cols,
                                    const std::vector<float>& bias);

std::vector<double> RmsNormReference(const std::vector<float>& x, const std::vector<float>& weight, double epsilon);

// activation(gate) * up
double GatedReference(Activation activation, double gate, double up);

// A row, dimensions in halves, turned to `position`. from, result: [head_dim].
std::vector<double> RotateReference(const RopeConfig& rope, bool use_long, const std::vector<double>& from,
                                    int64_t position);

// Attention with all that a test may want to know of it.
struct AttentionReference {
  std::vector<double> out;    // [queries, heads, head_dim]
  std::vector<double> lse;    // [heads, queries]
  std::vector<double> local;  // [heads, queries, local keys] probabilities
  int64_t local_keys = 0;

  // What SpanBand and ReceivedAttention return: [queries, width], [heads, local keys].
  std::vector<double> Band(const AttendArgs& args, int64_t width) const;
  std::vector<double> Received(const AttendArgs& args) const;
};
AttentionReference AttendReference(const AttendArgs& args, const RopeConfig& rope);

// dots: [rows, view.count]
std::vector<double> IndexScanReference(const IndexView& view, const std::vector<float>& queries, int64_t head_dim,
                                       double scale);

// The softmax of x and its entropy in nats.
std::vector<double> SoftmaxReference(const std::vector<float>& x, double* entropy);

}  // namespace ltri::testing

#endif  // LTRI_TESTS_SUPPORT_OPS_REFERENCE_H_
