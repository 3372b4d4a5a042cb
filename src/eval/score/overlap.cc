#include "eval/score/overlap.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_map>

#include "eval/score/text_units.h"

namespace ltri {
namespace {

constexpr size_t kLongText = 200;  // difflib: from here on, frequent characters are left out

struct Block {
  size_t a = 0;
  size_t b = 0;
  size_t size = 0;
};

// difflib's matcher over two texts.
class Matcher {
 public:
  Matcher(std::u32string a, std::u32string b) : a_(std::move(a)), b_(std::move(b)) {
    for (size_t j = 0; j < b_.size(); ++j) places_[b_[j]].push_back(j);
    if (b_.size() < kLongText) return;
    const size_t most = b_.size() / 100 + 1;
    std::erase_if(places_, [most](const auto& entry) { return entry.second.size() > most; });
  }

  double Ratio() const {
    const size_t total = a_.size() + b_.size();
    return total == 0 ? 1.0
                      : 2.0 * static_cast<double>(Matched(0, a_.size(), 0, b_.size())) / static_cast<double>(total);
  }

 private:
  // The longest block within a[alo, ahi) and b[blo, bhi), the first of its length.
  Block Longest(size_t alo, size_t ahi, size_t blo, size_t bhi) const {
    Block best{alo, blo, 0};
    std::unordered_map<size_t, size_t> lengths;  // of the run that ends at a place of b
    for (size_t i = alo; i < ahi; ++i) {
      std::unordered_map<size_t, size_t> next;
      const auto places = places_.find(a_[i]);
      if (places != places_.end()) {
        for (const size_t j : places->second) {
          if (j < blo || j >= bhi) continue;
          const auto before = j > 0 ? lengths.find(j - 1) : lengths.end();
          const size_t size = (before == lengths.end() ? 0 : before->second) + 1;
          next[j] = size;
          if (size > best.size) best = {i + 1 - size, j + 1 - size, size};
        }
      }
      lengths = std::move(next);
    }
    // Frequent characters start no block, but they extend one.
    while (best.a > alo && best.b > blo && a_[best.a - 1] == b_[best.b - 1]) --best.a, --best.b, ++best.size;
    while (best.a + best.size < ahi && best.b + best.size < bhi && a_[best.a + best.size] == b_[best.b + best.size]) {
      ++best.size;
    }
    return best;
  }

  size_t Matched(size_t alo, size_t ahi, size_t blo, size_t bhi) const {
    if (alo >= ahi || blo >= bhi) return 0;
    const Block block = Longest(alo, ahi, blo, bhi);
    if (block.size == 0) return 0;
    return block.size + Matched(alo, block.a, blo, block.b) +
           Matched(block.a + block.size, ahi, block.b + block.size, bhi);
  }

  std::u32string a_;
  std::u32string b_;
  std::map<char32_t, std::vector<size_t>> places_;  // of each character in b
};

}  // namespace

int64_t EditDistance(std::u32string_view a, std::u32string_view b) {
  std::vector<int64_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), int64_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    int64_t diagonal = row[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      const int64_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

double F1(double precision, double recall) {
  return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0.0;
}

double BagF1(const WordList& a, const WordList& b) {
  std::map<std::string, int64_t> left;
  for (const std::string& word : b) ++left[word];
  double common = 0;
  for (const std::string& word : a) {
    const auto found = left.find(word);
    if (found == left.end() || found->second == 0) continue;
    --found->second;
    ++common;
  }
  if (common == 0) return 0;
  return F1(common / static_cast<double>(a.size()), common / static_cast<double>(b.size()));
}

std::vector<size_t> CommonSubsequence(const WordList& x, const WordList& y, bool x_first) {
  const size_t width = y.size() + 1;
  std::vector<uint32_t> table((x.size() + 1) * width, 0);
  const auto at = [&](size_t i, size_t j) -> uint32_t& { return table[i * width + j]; };
  for (size_t i = 1; i <= x.size(); ++i) {
    for (size_t j = 1; j <= y.size(); ++j) {
      at(i, j) = x[i - 1] == y[j - 1] ? at(i - 1, j - 1) + 1 : std::max(at(i - 1, j), at(i, j - 1));
    }
  }
  std::vector<size_t> places;
  for (size_t i = x.size(), j = y.size(); i > 0 && j > 0;) {
    if (x[i - 1] == y[j - 1]) {
      places.push_back(--i);
      --j;
    } else if (x_first ? at(i, j - 1) > at(i - 1, j) : at(i - 1, j) <= at(i, j - 1)) {
      --j;
    } else {
      --i;
    }
  }
  std::reverse(places.begin(), places.end());
  return places;
}

double MatchingBlockRatio(std::string_view a, std::string_view b) {
  return Matcher(CodePoints(a), CodePoints(b)).Ratio();
}

}  // namespace ltri
