#include "weights/session_cost.h"

#include <gtest/gtest.h>

namespace ltri {
namespace {

TEST(SessionCostTest, CountsKeysAndValuesOfFullLayersForEachToken) {
  ModelConfig config;  // SmolLM2-135M
  config.layers = 30;
  config.kv_heads = 3;
  config.head_dim = 64;
  const SessionCost cost = CostOfSession(config);
  EXPECT_EQ(cost.full_layers, 30);
  EXPECT_EQ(cost.bytes_per_token, 30 * 3 * 64 * 2 * 2);
  EXPECT_NEAR(cost.index_bytes_per_token, 30 * 3 * 64 * 4 / 17.0, 1e-9);
  EXPECT_NEAR(CostOfSession(config, 15).index_bytes_per_token, 15 * 64 * 4 / 17.0, 1e-9);
  EXPECT_EQ(cost.sliding_bytes, 0);
}

TEST(SessionCostTest, SlidingLayersCostTheirWindowOnce) {
  ModelConfig config;
  config.layers = 3;
  config.kv_heads = 1;
  config.head_dim = 256;
  config.sliding_window = 512;
  config.is_sliding = {true, true, false};
  const SessionCost cost = CostOfSession(config);
  EXPECT_EQ(cost.full_layers, 1);
  EXPECT_EQ(cost.sliding_layers, 2);
  EXPECT_EQ(cost.bytes_per_token, 256 * 2 * 2);
  EXPECT_EQ(cost.sliding_bytes, 2 * 512 * 256 * 2 * 2);
}

}  // namespace
}  // namespace ltri
