// TriangleScore: scores of all candidate spans that end at one of the newest tokens (docs/ltri.md, triangle score).
//
// The score of the span [y-m, y] is the attention inside its triangle minus a baseline per cell:
//   S_y[m] = S_{y-1}[m-1] + sum over lag 1..m of (A[y][y-lag] - theta_y)
// theta_y = kappa * mean of the band over the rows before y, over cells whose key exists and is no sink. It is updated
// at every token, so the scores do not depend on how a prompt was split into blocks.
//
// Thread safety: none; copies are independent.
#ifndef LTRI_SPANS_TRIANGLE_SCORE_H_
#define LTRI_SPANS_TRIANGLE_SCORE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/serial.h"

namespace ltri {

class TriangleScore {
 public:
  // `first`: token of the first row (the number of sinks). `width`: longest span L, >= 1. `rows`: score rows kept,
  // >= 2.
  TriangleScore(int64_t first, int64_t width, double kappa, int64_t rows);

  // Row of token next(): band[lag-1] = A[y][y-lag] for lag 1..width. Cells of sinks and of keys before the text are
  // ignored. A row with a value that is no plausible probability sum (NaN, infinity) is neutral: it adds nothing to
  // any score and leaves the mean as it is.
  void Push(std::span<const float> band);

  // Forgets the rows of tokens >= `tokens`; rows in [keep, tokens) that the ring has lost become neutral (score 0).
  // The mean is exact while row tokens-1 is in the ring; else the present mean is taken for the remaining rows.
  // first() <= keep <= tokens <= next(), tokens - keep < rows.
  void Truncate(int64_t tokens, int64_t keep);

  void Save(StateWriter* state) const;
  // What Save wrote, for the same first, width and rows.
  void Restore(StateReader* state);

  int64_t first() const { return first_; }
  int64_t next() const { return next_; }      // token whose row comes next
  int64_t oldest() const { return oldest_; }  // first token whose scores are kept; next() if there is none
  int64_t width() const { return width_; }

  // Baseline of the row that comes next.
  double theta() const { return kappa_ * Mean(); }

  // S_y[0..width) for oldest() <= y < next(), followed by at least kPadding cells of minus infinity.
  // Meaningless (but finite) where y-m < first().
  const float* Row(int64_t y) const { return &scores_[static_cast<size_t>(Slot(y) * stride_)]; }

  // The ring behind Row, for loops over many rows: row y lies at data() + Slot(y) * stride().
  const float* data() const { return scores_.data(); }
  int64_t stride() const { return stride_; }
  int64_t rows() const { return rows_; }
  int64_t Slot(int64_t y) const { return (y - first_) % rows_; }

  // Vector loops may read this many cells past a row's end.
  static constexpr int64_t kPadding = 16;

 private:
  double Mean() const;                   // of the band over the rows before next()
  int64_t CellsBefore(int64_t y) const;  // cells of the band in rows [first, y)
  void FillNeutral(int64_t y);

  int64_t first_;
  int64_t width_;
  int64_t rows_;
  int64_t stride_;
  double kappa_;
  int64_t next_;
  int64_t oldest_;
  double sum_ = 0;             // of the band over all rows so far
  std::vector<double> sums_;   // [rows] sum_ after each kept row
  std::vector<float> scores_;  // [rows, stride]
};

}  // namespace ltri

#endif  // LTRI_SPANS_TRIANGLE_SCORE_H_
