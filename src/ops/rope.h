// Rotary position embedding on rows whose rotated dimensions lie in halves: dimension i turns with i + dims / 2.
//
// Models that pair adjacent dimensions are permuted once after projection (ToHalves): scores do not change when queries
// and keys are permuted alike, so everything after it knows one layout.
#ifndef LTRI_OPS_ROPE_H_
#define LTRI_OPS_ROPE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "base/half.h"
#include "weights/model_config.h"

namespace ltri {

// cos and sin of every position in use, grown on demand. Not thread safe while it grows: Reserve first.
class RopeTable {
 public:
  // `use_long`: the config's long factors.
  RopeTable(const RopeConfig& config, bool use_long);

  int64_t dims() const { return dims_; }
  // What a row is made of: angles are position x frequency, and their cosines and sines are multiplied by magnitude.
  const std::vector<double>& frequency() const { return frequency_; }  // [dims / 2] radians
  float magnitude() const { return magnitude_; }
  // Makes positions [0, count) available.
  void Reserve(int64_t count);
  // [cos x dims/2, sin x dims/2] of `position`, which must be reserved.
  const float* Row(int64_t position) const {
    return blocks_[static_cast<size_t>(position / kBlock)].get() + (position % kBlock) * dims_;
  }

 private:
  static constexpr int64_t kBlock = 1024;

  int64_t dims_;
  float magnitude_;
  std::vector<double> frequency_;  // [dims / 2] radians per position
  std::vector<std::unique_ptr<float[]>> blocks_;
};

// Moves adjacent pairs (0,1), (2,3) ... of the first `dims` of each row into halves, in place. rows: [count, head_dim].
void ToHalves(float* rows, int64_t count, int64_t head_dim, int64_t dims);

// to[r] = from[r] turned to position + r, r < count; both [count, head_dim].
void RotateKeys(const RopeTable& table, const Half* from, int64_t count, int64_t head_dim, int64_t position, float* to);

// to = from turned to `position` and scaled; both [head_dim].
void RotateQuery(const RopeTable& table, const float* from, int64_t head_dim, int64_t position, float scale, float* to);

}  // namespace ltri

#endif  // LTRI_OPS_ROPE_H_
