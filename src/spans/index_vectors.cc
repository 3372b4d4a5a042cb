#include "spans/index_vectors.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace ltri {
namespace {

constexpr int64_t kMeanKeys = 4;

int64_t DynamicCount(const IndexRule& rule, float confidence) {
  const float sureness = std::clamp((confidence - rule.unsure) / (rule.sure - rule.unsure), 0.0F, 1.0F);
  return rule.fewest + std::lround((1.0F - sureness) * static_cast<float>(rule.most - rule.fewest));
}

// The tokens that hold the middles of `count` equal parts.
void ChooseEven(int64_t length, int64_t count, std::vector<int32_t>* offsets) {
  for (int64_t i = 0; i < count; ++i) offsets->push_back(static_cast<int32_t>(length * (2 * i + 1) / (2 * count)));
}

void ChooseMostReceived(std::span<const float> received, int64_t count, std::vector<int32_t>* offsets) {
  offsets->resize(received.size());
  std::iota(offsets->begin(), offsets->end(), 0);
  const auto more = [received](int32_t a, int32_t b) {
    const float x = received[static_cast<size_t>(a)];
    const float y = received[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  };
  std::partial_sort(offsets->begin(), offsets->begin() + count, offsets->end(), more);
  offsets->resize(static_cast<size_t>(count));
  std::sort(offsets->begin(), offsets->end());
}

}  // namespace

bool NeedsReceived(const IndexRule& rule) {
  return rule.kind == IndexVectors::kReceived || rule.kind == IndexVectors::kDynamic ||
         rule.kind == IndexVectors::kMean4;
}

int64_t IndexCount(const IndexRule& rule, int64_t length, float confidence) {
  int64_t count = rule.count;
  if (rule.kind == IndexVectors::kAll) count = length;
  if (rule.kind == IndexVectors::kMean4) count = kMeanKeys;
  if (rule.kind == IndexVectors::kDynamic) count = DynamicCount(rule, confidence);
  return std::min(std::max<int64_t>(1, count), length);
}

void ChooseIndexTokens(const IndexRule& rule, int64_t length, float confidence, std::span<const float> received,
                       std::vector<int32_t>* offsets) {
  assert(length >= 1 && (received.empty() || static_cast<int64_t>(received.size()) == length));
  offsets->clear();
  const int64_t count = IndexCount(rule, length, confidence);
  if (NeedsReceived(rule) && !received.empty()) {
    ChooseMostReceived(received, count, offsets);
  } else {
    ChooseEven(length, count, offsets);
  }
}

}  // namespace ltri
