#include "eval/tasks/draw.h"

#include <fmt/format.h>

#include <unordered_set>

namespace ltri {
namespace {

// FNV-1a.
uint64_t Hash(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001B3ULL;
  }
  return hash;
}

}  // namespace

Random RandomOf(uint64_t seed, std::string_view task, int64_t length, double depth, int64_t index) {
  return Random(Hash(fmt::format("{}|{}|{}|{:.4f}|{}", seed, task, length, depth, index)));
}

std::vector<int64_t> DrawDistinct(Random& random, int64_t bound, int64_t count) {
  std::vector<int64_t> drawn;
  std::unordered_set<int64_t> seen;
  // Floyd's algorithm: each number has the same chance, and no draw is in vain. Then the order is made random too.
  for (int64_t i = bound - count; i < bound; ++i) {
    const int64_t value = random.Below(i + 1);
    drawn.push_back(seen.insert(value).second ? value : i);
    seen.insert(drawn.back());
  }
  Shuffle(random, drawn);
  return drawn;
}

std::string DrawDigits(Random& random, int64_t count) {
  std::string digits;
  for (int64_t i = 0; i < count; ++i) digits += static_cast<char>('0' + random.Below(10));
  return digits;
}

std::string DrawUuid(Random& random) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string uuid = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
  for (char& c : uuid) {
    if (c == 'x') c = kHex[static_cast<size_t>(random.Below(16))];
    if (c == 'y') c = kHex[static_cast<size_t>(8 + random.Below(4))];
  }
  return uuid;
}

std::string DrawLetters(Random& random, int64_t count, char first) {
  std::string letters;
  for (int64_t i = 0; i < count; ++i) letters += static_cast<char>(first + random.Below(26));
  return letters;
}

}  // namespace ltri
