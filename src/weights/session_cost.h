// What a session costs in memory for each token it holds, by the model's shape alone.
#ifndef LTRI_WEIGHTS_SESSION_COST_H_
#define LTRI_WEIGHTS_SESSION_COST_H_

#include <cstdint>

#include "weights/model_config.h"

namespace ltri {

struct SessionCost {
  int64_t full_layers = 0;
  int64_t sliding_layers = 0;
  int64_t bytes_per_token = 0;       // keys and values in 16 bits, layers with full attention
  double index_bytes_per_token = 0;  // 8-bit vectors of indexed heads
  int64_t sliding_bytes = 0;         // keys and values of the sliding layers' windows, whatever the length
};

inline constexpr double kTokensPerSpan = 17;  // typical of the partition selector
inline constexpr int64_t kVectorsPerSpan = 4;

// index_heads: KV heads that are indexed; negative: all.
SessionCost CostOfSession(const ModelConfig& config, int64_t index_heads = -1);

}  // namespace ltri

#endif  // LTRI_WEIGHTS_SESSION_COST_H_
