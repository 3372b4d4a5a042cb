#include "spans/nms.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace ltri {
namespace {

constexpr float kNone = -std::numeric_limits<float>::infinity();
constexpr int64_t kMargin = 2;  // neighbours lie up to 2 cells aside

// Ranks of the candidates that end at one token: cell kMargin + m is the span of m+1 tokens; kNone where not allowed.
struct RankRow {
  explicit RankRow(int64_t width) : cells(static_cast<size_t>(width + 2 * kMargin), kNone) {}
  const float* at(int64_t m) const { return cells.data() + kMargin + m; }
  std::vector<float> cells;
};

struct Ranking {
  int64_t begin;
  int64_t end;
  int64_t min_span;
  std::vector<float> weight;  // [width] of a span of m+1 tokens
};

void FillRanks(const TriangleScore& scores, const Ranking& ranking, int64_t y, RankRow* row) {
  std::fill(row->cells.begin(), row->cells.end(), kNone);
  if (y < ranking.begin || y >= ranking.end) return;
  const float* score = scores.Row(y);
  const int64_t longest = std::min(scores.width(), y - ranking.begin + 1);
  float* out = row->cells.data() + kMargin;
  for (int64_t m = ranking.min_span - 1; m < longest; ++m) out[m] = score[m] * ranking.weight[static_cast<size_t>(m)];
}

float Higher(float a, float b) { return a > b ? a : b; }

// crest[m] > 0 where row y has a positive rank that no neighbour exceeds. Moving the last token by dy and the first by
// dx moves m by dy - dx.
void FindCrests(const float* before, const float* row, const float* after, int64_t width, float* crest) {
  for (int64_t m = 0; m < width; ++m) {
    const float shorter = Higher(Higher(before[m - 2], before[m - 1]), before[m]);
    const float same = Higher(row[m - 1], row[m + 1]);
    const float longer = Higher(Higher(after[m], after[m + 1]), after[m + 2]);
    const float highest = Higher(Higher(shorter, longer), same);
    crest[m] = row[m] >= highest ? row[m] : 0.0F;
  }
}

}  // namespace

std::vector<NmsCandidate> FindPeaks(const TriangleScore& scores, int64_t begin, int64_t end, int64_t min_span,
                                    bool length_normalised) {
  const int64_t width = scores.width();
  Ranking ranking{begin, end, min_span, std::vector<float>(static_cast<size_t>(width), 1.0F)};
  if (length_normalised) {
    for (int64_t m = 0; m < width; ++m) ranking.weight[static_cast<size_t>(m)] = 1.0F / static_cast<float>(m + 1);
  }
  std::array<RankRow, 3> rows = {RankRow(width), RankRow(width), RankRow(width)};
  std::vector<float> crest(static_cast<size_t>(width));
  std::vector<NmsCandidate> peaks;
  FillRanks(scores, ranking, begin, &rows[1]);
  for (int64_t y = begin; y < end; ++y) {
    FillRanks(scores, ranking, y + 1, &rows[2]);
    FindCrests(rows[0].at(0), rows[1].at(0), rows[2].at(0), width, crest.data());
    for (int64_t m = min_span - 1; m < std::min(width, y - begin + 1); ++m) {
      const float rank = crest[static_cast<size_t>(m)];
      if (rank > 0) peaks.push_back({.begin = y - m, .end = y + 1, .rank = rank});
    }
    std::swap(rows[0], rows[1]);
    std::swap(rows[1], rows[2]);
  }
  return peaks;
}

std::vector<NmsCandidate> SuppressOverlaps(std::vector<NmsCandidate> candidates) {
  std::sort(candidates.begin(), candidates.end(), [](const NmsCandidate& a, const NmsCandidate& b) {
    if (a.rank != b.rank) return a.rank > b.rank;
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::vector<NmsCandidate> accepted;  // in text order
  for (const NmsCandidate& candidate : candidates) {
    const auto next = std::lower_bound(accepted.begin(), accepted.end(), candidate.begin,
                                       [](const NmsCandidate& a, int64_t begin) { return a.end <= begin; });
    if (next == accepted.end() || next->begin >= candidate.end) accepted.insert(next, candidate);
  }
  return accepted;
}

std::vector<int64_t> FillGaps(std::span<const NmsCandidate> accepted, int64_t begin, int64_t end, int64_t min_span,
                              int64_t max_span) {
  std::vector<int64_t> cuts = {begin};
  const auto fill = [&](int64_t from, int64_t next_begin, int64_t next_end) {
    const int64_t gap = next_begin - from;
    const bool joins_next = next_end > next_begin && next_end - from <= max_span;
    if (gap == 0 || (gap < min_span && joins_next)) return;
    if (gap < min_span && cuts.size() > 1) {
      cuts.back() = next_begin;
    } else {
      cuts.push_back(next_begin);
    }
  };
  int64_t covered = begin;
  for (const NmsCandidate& span : accepted) {
    fill(covered, span.begin, span.end);
    cuts.push_back(span.end);
    covered = span.end;
  }
  fill(covered, end, end);

  std::vector<int64_t> ends;  // what is too long is split evenly
  for (size_t i = 1; i < cuts.size(); ++i) {
    const int64_t length = cuts[i] - cuts[i - 1];
    const int64_t parts = (length + max_span - 1) / max_span;
    for (int64_t part = 1; part <= parts; ++part) ends.push_back(cuts[i - 1] + length * part / parts);
  }
  return ends;
}

void NmsCutter::FindEnds(const TriangleScore& scores, int64_t begin, int64_t end, std::vector<int64_t>* ends) {
  const auto accepted =
      SuppressOverlaps(FindPeaks(scores, begin, end, options().min_span, options().length_normalised));
  *ends = FillGaps(accepted, begin, end, options().min_span, options().max_span);
}

}  // namespace ltri
