#include "weights/session_cost.h"

namespace ltri {

SessionCost CostOfSession(const ModelConfig& config, int64_t index_heads) {
  constexpr int64_t kBytesPerValue = 2;
  const int64_t kv = config.kv_heads * config.head_dim;
  SessionCost cost;
  for (int64_t layer = 0; layer < config.layers; ++layer)
    (config.IsSliding(layer) ? cost.sliding_layers : cost.full_layers)++;
  cost.bytes_per_token = 2 * kv * kBytesPerValue * cost.full_layers;
  if (index_heads < 0) index_heads = config.kv_heads * cost.full_layers;
  cost.index_bytes_per_token = static_cast<double>(kVectorsPerSpan * index_heads * config.head_dim) / kTokensPerSpan;
  cost.sliding_bytes = 2 * kv * kBytesPerValue * cost.sliding_layers * config.sliding_window;
  return cost;
}

}  // namespace ltri
