#include "spans/confidence.h"

#include <algorithm>

namespace ltri {

float Confidence(const TriangleScore& scores, int64_t begin, int64_t end) {
  const int64_t length = end - begin;
  const float own = scores.Row(end - 1)[length - 1];
  if (!(own > 0)) return 0;
  const int64_t shift = std::max<int64_t>(2, length / 8);
  float rivals = 0;
  for (const int64_t x : {begin - shift, begin, begin + shift}) {
    for (const int64_t y : {end - shift, end, end + shift}) {
      if (x == begin && y == end) continue;
      const int64_t n = y - x;
      if (x < scores.first() || n < 1 || n > scores.width() || y > scores.next() || y <= scores.oldest()) continue;
      const int64_t common = std::max<int64_t>(0, std::min(end, y) - std::max(begin, x));
      const float overlap = static_cast<float>(common) / static_cast<float>(length + n - common);
      rivals += std::max(scores.Row(y - 1)[n - 1], 0.0F) * overlap;
    }
  }
  return own / (own + rivals);
}

}  // namespace ltri
