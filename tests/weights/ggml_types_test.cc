#include "weights/ggml_types.h"

#include <ggml.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace ltri {
namespace {

TEST(GgmlTypesTest, KnowsNamesAndSizes) {
  EXPECT_STREQ(TypeName(GGML_TYPE_F32), "f32");
  EXPECT_STREQ(TypeName(GGML_TYPE_Q4_K), "q4_K");
  EXPECT_STREQ(TypeName(-1), "unknown");
  EXPECT_STREQ(TypeName(GGML_TYPE_COUNT), "unknown");
  EXPECT_EQ(TypeBlockValues(GGML_TYPE_Q4_1), 32);
  EXPECT_EQ(TypeBlockBytes(GGML_TYPE_Q4_1), 20);
  EXPECT_EQ(TypeRowBytes(GGML_TYPE_Q4_1, 576), 360);
  EXPECT_EQ(TypeRowBytes(GGML_TYPE_F16, 7), 14);
}

TEST(GgmlTypesTest, RefusesTypesWithoutFloats) {
  EXPECT_TRUE(TypeIsReadable(GGML_TYPE_F32));
  EXPECT_TRUE(TypeIsReadable(GGML_TYPE_BF16));
  for (const int type : {-1, 4, 31, int{GGML_TYPE_I32}, int{GGML_TYPE_COUNT}, 1 << 30}) {
    EXPECT_FALSE(TypeIsReadable(type)) << type;
  }
}

// ggml's own quantisation and back; how far they may part depends on the bits.
TEST(GgmlTypesTest, DequantisesWhatGgmlQuantised) {
  constexpr int64_t kValues = 512;
  std::vector<float> values(kValues);
  for (size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<float>(i) * 0.37F);
  // Without the types whose quantisation first computes tables for many seconds.
  for (const ggml_type type :
       {GGML_TYPE_F32, GGML_TYPE_F16, GGML_TYPE_BF16, GGML_TYPE_Q4_0, GGML_TYPE_Q4_1, GGML_TYPE_Q5_0, GGML_TYPE_Q5_1,
        GGML_TYPE_Q8_0, GGML_TYPE_Q2_K, GGML_TYPE_Q3_K, GGML_TYPE_Q4_K, GGML_TYPE_Q5_K, GGML_TYPE_Q6_K,
        GGML_TYPE_IQ4_NL, GGML_TYPE_IQ4_XS, GGML_TYPE_MXFP4}) {
    ASSERT_TRUE(TypeIsReadable(type));
    std::vector<std::byte> row(static_cast<size_t>(TypeRowBytes(type, kValues)));
    ggml_quantize_chunk(type, values.data(), row.data(), 0, 1, kValues, nullptr);
    std::vector<float> back(kValues);
    DequantizeRow(type, row.data(), back.data(), kValues);
    double error = 0;
    double norm = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      error += (values[i] - back[i]) * (values[i] - back[i]);
      norm += values[i] * values[i];
    }
    const double bits = 8.0 * static_cast<double>(row.size()) / static_cast<double>(kValues);
    EXPECT_LT(std::sqrt(error / norm), bits < 4 ? 0.7 : bits < 6 ? 0.2 : 0.06) << TypeName(type);
  }
}

}  // namespace
}  // namespace ltri
