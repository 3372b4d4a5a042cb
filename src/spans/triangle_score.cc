#include "spans/triangle_score.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>

namespace ltri {
namespace {

constexpr int64_t kLanes = 16;

// Sum in 16 partial sums: vectorises, and the order never depends on the machine.
double Sum(const float* x, int64_t n) {
  std::array<float, kLanes> lanes = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t j = 0; j < kLanes; ++j) lanes[static_cast<size_t>(j)] += x[i + j];
  }
  double sum = 0;
  for (; i < n; ++i) sum += static_cast<double>(x[i]);
  for (const float lane : lanes) sum += static_cast<double>(lane);
  return sum;
}

// out[i] = sum of x[0..i] - (i+1) * theta. Four chains side by side hide the latency of the additions.
void BaselinedPrefixSums(const float* x, int64_t n, float theta, float* out) {
  const int64_t quarter = n / 4;
  float a = 0, b = 0, c = 0, d = 0;
  for (int64_t i = 0; i < quarter; ++i) {
    out[i] = a += x[i] - theta;
    out[i + quarter] = b += x[i + quarter] - theta;
    out[i + 2 * quarter] = c += x[i + 2 * quarter] - theta;
    out[i + 3 * quarter] = d += x[i + 3 * quarter] - theta;
  }
  b += a;
  c += b;
  d += c;
  for (int64_t i = quarter; i < 2 * quarter; ++i) out[i] += a;
  for (int64_t i = 2 * quarter; i < 3 * quarter; ++i) out[i] += b;
  for (int64_t i = 3 * quarter; i < 4 * quarter; ++i) out[i] += c;
  for (int64_t i = 4 * quarter; i < n; ++i) out[i] = d += x[i] - theta;
}

}  // namespace

TriangleScore::TriangleScore(int64_t first, int64_t width, double kappa, int64_t rows)
    : first_(first),
      width_(width),
      rows_(rows),
      stride_((width + kPadding + kLanes - 1) / kLanes * kLanes),
      kappa_(kappa),
      next_(first),
      oldest_(first),
      sums_(static_cast<size_t>(rows), 0.0),
      scores_(static_cast<size_t>(rows * stride_), -std::numeric_limits<float>::infinity()) {
  assert(first >= 0 && width >= 1 && rows >= 2);
}

int64_t TriangleScore::CellsBefore(int64_t y) const {
  // Row first+r has min(r, width) cells.
  const int64_t r = y - first_;
  const int64_t growing = std::min(r, width_ + 1);
  return growing * (growing - 1) / 2 + (r - growing) * width_;
}

double TriangleScore::Mean() const { return sum_ / static_cast<double>(std::max<int64_t>(1, CellsBefore(next_))); }

void TriangleScore::Push(std::span<const float> band) {
  assert(static_cast<int64_t>(band.size()) == width_);
  const int64_t y = next_;
  const int64_t cells = std::min(y - first_, width_);
  const float baseline = static_cast<float>(theta());
  float* row = &scores_[static_cast<size_t>(Slot(y) * stride_)];

  const double row_sum = Sum(band.data(), cells);
  const bool plausible = std::abs(row_sum) < 1e9;  // false for NaN too
  row[0] = 0;
  // The recurrence needs lags 1..width-1; cells of sinks stay 0, which no span ever looks at.
  const int64_t used = plausible ? std::min(cells, width_ - 1) : 0;
  BaselinedPrefixSums(band.data(), used, baseline, row + 1);
  std::fill(row + 1 + used, row + width_, 0.0F);
  if (y > oldest_) {
    const float* previous = Row(y - 1);
    for (int64_t m = 1; m < width_; ++m) row[m] += previous[m - 1];
  }

  sum_ += plausible ? row_sum : Mean() * static_cast<double>(cells);
  sums_[static_cast<size_t>(Slot(y))] = sum_;
  ++next_;
  oldest_ = std::max(oldest_, next_ - rows_);
}

void TriangleScore::FillNeutral(int64_t y) {
  const auto row = scores_.begin() + Slot(y) * stride_;
  std::fill(row, row + width_, 0.0F);
  sums_[static_cast<size_t>(Slot(y))] = Mean() * static_cast<double>(CellsBefore(y + 1));
}

void TriangleScore::Truncate(int64_t tokens, int64_t keep) {
  assert(first_ <= keep && keep <= tokens && tokens <= next_ && tokens - keep < rows_);
  if (tokens == next_) return;
  if (tokens == first_) {
    sum_ = 0;
  } else if (tokens > oldest_) {
    sum_ = sums_[static_cast<size_t>(Slot(tokens - 1))];
  } else {
    sum_ = Mean() * static_cast<double>(CellsBefore(tokens));
  }
  next_ = tokens;
  const int64_t lost = std::min(oldest_, tokens);
  for (int64_t y = keep; y < lost; ++y) FillNeutral(y);
  oldest_ = std::min(lost, keep);
}

void TriangleScore::Save(StateWriter* state) const {
  state->Put(next_);
  state->Put(oldest_);
  state->Put(sum_);
  state->PutAll(sums_);
  state->PutAll(scores_);
}

void TriangleScore::Restore(StateReader* state) {
  constexpr int64_t kLongest = int64_t{1} << 40;  // tokens
  next_ = state->GetWithin<int64_t>(first_, kLongest, "the next row of the band");
  oldest_ = state->GetWithin<int64_t>(std::max(first_, next_ - rows_), next_, "the oldest row of the band");
  sum_ = state->Get<double>();
  sums_ = state->GetAll<double>(rows_, "the sums of the band");
  scores_ = state->GetAll<float>(rows_ * stride_, "the triangle scores");
}

}  // namespace ltri
