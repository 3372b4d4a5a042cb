// Tests that need a CUDA card, and small things that they share.
#ifndef LTRI_TESTS_CUDA_CARD_H_
#define LTRI_TESTS_CUDA_CARD_H_

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "ops/cuda/device.h"

namespace ltri::cuda {

// Skips its tests on a machine without a card.
template <typename Base = ::testing::Test>
class CardTestOf : public Base {
 protected:
  void SetUp() override {
    const Result<DeviceInfo> card = OpenDevice();
    if (!card.ok()) GTEST_SKIP() << "skipped: " << card.error().message;
    stream_ = NewStream();
  }
  void TearDown() override {
    if (stream_ == nullptr) return;
    const Status status = Finish(stream_);
    EXPECT_TRUE(status.ok()) << status.error().message;
    DeleteStream(stream_);
  }

  template <typename T>
  Buffer ToCard(const std::vector<T>& values) {
    Buffer buffer(static_cast<int64_t>(values.size() * sizeof(T)));
    Upload(stream_, buffer.as<void>(), values.data(), buffer.bytes());
    return buffer;
  }
  template <typename T>
  std::vector<T> FromCard(const Buffer& buffer, int64_t count) {
    std::vector<T> values(static_cast<size_t>(count));
    Download(stream_, values.data(), buffer.as<void>(), count * static_cast<int64_t>(sizeof(T)));
    const Status status = Finish(stream_);
    EXPECT_TRUE(status.ok()) << status.error().message;
    return values;
  }

  Stream stream_ = nullptr;
};
using CardTest = CardTestOf<>;

// |a - b| / |b| over all values; infinite when something is no number.
template <typename A, typename B>
double RelativeError(const std::vector<A>& a, const std::vector<B>& b) {
  EXPECT_EQ(a.size(), b.size());
  double difference = 0;
  double size = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    difference += d * d;
    size += static_cast<double>(b[i]) * static_cast<double>(b[i]);
  }
  const double error = std::sqrt(difference / size);
  return std::isfinite(error) ? error : INFINITY;
}

}  // namespace ltri::cuda

#endif  // LTRI_TESTS_CUDA_CARD_H_
