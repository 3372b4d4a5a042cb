// Where a model's heads lie on the card. Needs no card.
#include "cuda/head_layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "cuda/device_weights.h"

namespace ltri::cuda {
namespace {

TEST(HeadLayout, HeadsBecomeOfASizeThatKernelsKnow) {
  EXPECT_EQ(CardHeadDim(16), 64);
  EXPECT_EQ(CardHeadDim(64), 64);
  EXPECT_EQ(CardHeadDim(96), 128);
  EXPECT_EQ(CardHeadDim(128), 128);
  EXPECT_EQ(CardHeadDim(256), 256);
  EXPECT_EQ(CardHeadDim(320), 0);
}

// Dimensions that turn together lie half a head apart; every dimension has one place.
TEST(HeadLayout, PairsLieHalfAHeadApart) {
  for (const RopePairs pairs : {RopePairs::kAdjacent, RopePairs::kHalves}) {
    for (const int64_t turned : {96, 72, 2}) {
      const HeadOrder order = TurnedOrder(96, turned, pairs);
      ASSERT_EQ(order.size(), 128U);
      const std::set<int32_t> places(order.begin(), order.end());
      EXPECT_EQ(places.size(), 97U);  // all dimensions and the zeros
      for (int32_t pair = 0; pair < turned / 2; ++pair) {
        const auto at = static_cast<size_t>(pair);
        const bool adjacent = pairs == RopePairs::kAdjacent;
        EXPECT_EQ(order[at], adjacent ? 2 * pair : pair);
        EXPECT_EQ(order[64 + at], adjacent ? 2 * pair + 1 : pair + turned / 2);
      }
      for (size_t zero = 48; zero < 64; ++zero) {
        EXPECT_EQ(order[zero], -1);
        EXPECT_EQ(order[64 + zero], -1);
      }
    }
  }
}

// What a card cannot do is said when a model is loaded, with what can be done about it.
TEST(HeadLayout, WhatDoesNotFitIsRefused) {
  LoadedModel model;
  model.config.heads = 32;
  model.config.kv_heads = 2;
  model.config.head_dim = 256;
  EXPECT_TRUE(CheckModel(model).ok());
  model.config.head_dim = 320;
  const Status wide = CheckModel(model);
  ASSERT_FALSE(wide.ok());
  EXPECT_EQ(wide.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(wide.error().message.find("320"), std::string::npos);
  EXPECT_NE(wide.error().message.find("--device cpu"), std::string::npos);
  model.config.head_dim = 128;
  model.config.kv_heads = 1;
  EXPECT_NE(CheckModel(model).error().message.find("32 heads share"), std::string::npos);
  model.config.kv_heads = 2;
  model.weights.layers.resize(1);
  model.weights.layers[0].q.cols = 100;
  EXPECT_NE(CheckModel(model).error().message.find("multiples of 32"), std::string::npos);
}

TEST(HeadLayout, RowsFollowTheirHeads) {
  const std::vector<int32_t> rows = RowOrder(PlainOrder(48), 2, 48);
  ASSERT_EQ(rows.size(), 128U);
  EXPECT_EQ(rows[47], 47);
  EXPECT_EQ(rows[48], -1);
  EXPECT_EQ(rows[64], 48);
  EXPECT_EQ(rows[111], 95);
}

TEST(HeadLayout, HeadsComeBackFromTheHost) {
  for (const auto& [dims, turned] : {std::pair{96, 72}, {128, 64}, {48, 48}, {64, 64}, {256, 256}}) {
    const HostHeads heads(dims, turned);
    EXPECT_EQ(heads.same, dims == turned && dims != 48);
    std::vector<int> host(static_cast<size_t>(dims));
    for (int i = 0; i < dims; ++i) host[static_cast<size_t>(i)] = i + 1;
    for (const HeadOrder& order : {heads.keys, heads.values}) {
      std::vector<int> card(static_cast<size_t>(CardHeadDim(dims)), -1);
      HostHeads::ToCard(order, host.data(), card.data());
      EXPECT_EQ(std::count(card.begin(), card.end(), 0), CardHeadDim(dims) - dims);
      std::vector<int> back(host.size(), -1);
      HostHeads::ToHost(order, card.data(), back.data());
      EXPECT_EQ(back, host);
    }
  }
}

}  // namespace
}  // namespace ltri::cuda
