// DeviceRope: a rotary table on the card, grown as positions are needed.
#ifndef LTRI_CUDA_DEVICE_ROPE_H_
#define LTRI_CUDA_DEVICE_ROPE_H_

#include <algorithm>
#include <cstdint>

#include "ops/cuda/device.h"
#include "ops/cuda/pointwise.h"
#include "ops/cuda/types.h"
#include "ops/rope.h"

namespace ltri::cuda {

// The twin of model/rope_tables.h. Not thread safe: belongs to whoever runs steps.
class DeviceRope {
 public:
  // head_dim: of heads on the card (cuda/head_layout.h).
  DeviceRope(Stream stream, const RopeConfig& config, int64_t head_dim)
      : stream_(stream), config_(config), head_dim_(head_dim) {}

  // The table with positions [0, count) available: the long factors of models that have them apply to every position
  // once a text outgrows the original context. The table moves when it grows.
  RopeView For(int64_t count) {
    const bool use_long = !config_.long_factors.empty() && count > config_.original_context;
    Table& table = tables_[use_long ? 1 : 0];
    if (count > table.positions) Fill(table, use_long, count);
    return {table.rows.as<float>(), table.positions};
  }

 private:
  static constexpr int64_t kLeast = 16384;

  struct Table {
    Buffer rows;
    int64_t positions = 0;
  };

  void Fill(Table& table, bool use_long, int64_t count) {
    const RopeTable source(config_, use_long);
    table.positions = std::max({kLeast, count, 2 * table.positions});
    table.rows.Reserve(table.positions * head_dim_ * static_cast<int64_t>(sizeof(float)));
    const auto bytes = static_cast<int64_t>(source.frequency().size() * sizeof(double));
    frequency_.Reserve(bytes);
    Upload(stream_, frequency_.as<void>(), source.frequency().data(), bytes);
    FillRopeTable(stream_, frequency_.as<double>(), source.magnitude(), config_.dims, head_dim_, 0, table.positions,
                  table.rows.as<float>());
  }

  Stream stream_;
  RopeConfig config_;
  int64_t head_dim_;
  Buffer frequency_;
  Table tables_[2];
};

}  // namespace ltri::cuda

#endif  // LTRI_CUDA_DEVICE_ROPE_H_
