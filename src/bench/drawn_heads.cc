#include "bench/drawn_heads.h"

#include <algorithm>
#include <numeric>

#include "base/random.h"

namespace ltri {

int64_t UsualCopyingHeads(int64_t layers, int64_t heads) { return std::max<int64_t>(1, layers * heads * 3 / 64); }

std::vector<float> DrawHeadTable(int64_t layers, int64_t heads, int64_t count) {
  std::vector<float> scores(static_cast<size_t>(layers * heads), 0.0F);
  const int64_t first = layers / 6 * heads;
  const int64_t last = layers * 7 / 8 * heads;
  std::vector<int64_t> order(static_cast<size_t>(last - first));
  std::iota(order.begin(), order.end(), first);
  Random random(1);
  for (auto left = static_cast<int64_t>(order.size()); left > 1; --left) {
    std::swap(order[static_cast<size_t>(left - 1)], order[static_cast<size_t>(random.Below(left))]);
  }
  for (int64_t head = 0; head < layers * heads; ++head) {
    if (head < first || head >= last) order.push_back(head);
  }
  for (int64_t i = 0; i < std::min(count, layers * heads); ++i) {
    // Few heads copy often, most of them now and then.
    scores[static_cast<size_t>(order[static_cast<size_t>(i)])] = 1.0F / static_cast<float>(1 + i % 8);
  }
  return scores;
}

}  // namespace ltri
