// Random draws for prompts: reproducible, the same on every platform.
#ifndef LTRI_EVAL_TASKS_DRAW_H_
#define LTRI_EVAL_TASKS_DRAW_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.h"

namespace ltri {

// A generator for one sample: cells are independent of each other, and of which others are made.
Random RandomOf(uint64_t seed, std::string_view task, int64_t length, double depth, int64_t index);

template <typename T>
void Shuffle(Random& random, std::vector<T>& values) {
  for (auto i = static_cast<int64_t>(values.size()) - 1; i > 0; --i) {
    std::swap(values[static_cast<size_t>(i)], values[static_cast<size_t>(random.Below(i + 1))]);
  }
}

template <typename List>
const auto& Choose(Random& random, const List& values) {
  return values[static_cast<size_t>(random.Below(static_cast<int64_t>(std::size(values))))];
}

// low <= result <= high.
inline int64_t Between(Random& random, int64_t low, int64_t high) { return low + random.Below(high - low + 1); }

// `count` distinct numbers below `bound`, in the order drawn. count <= bound.
std::vector<int64_t> DrawDistinct(Random& random, int64_t bound, int64_t count);

std::string DrawDigits(Random& random, int64_t count);               // the first may be 0
std::string DrawUuid(Random& random);                                // version 4
std::string DrawLetters(Random& random, int64_t count, char first);  // of the 26 from `first` on

}  // namespace ltri

#endif  // LTRI_EVAL_TASKS_DRAW_H_
