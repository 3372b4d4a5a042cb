// Bands of attention made up for tests, and slow, obvious versions of what src/spans computes.
#ifndef LTRI_TESTS_SPANS_TEST_BAND_H_
#define LTRI_TESTS_SPANS_TEST_BAND_H_

#include <cstdint>
#include <random>
#include <vector>

#include "spans/triangle_score.h"

namespace ltri {

using Band = std::vector<std::vector<float>>;  // [rows][width]; row r is token first + r

// Uniform noise in [0, 1), a little clumped so that scores have peaks.
inline Band RandomBand(int64_t rows, int64_t width, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> noise(0.0F, 1.0F);
  Band band(static_cast<size_t>(rows), std::vector<float>(static_cast<size_t>(width)));
  int64_t begin = 0;
  for (int64_t y = 0; y < rows; ++y) {
    if (noise(random) < 0.08F) begin = y;
    for (int64_t lag = 1; lag <= width; ++lag) {
      const float clump = y - lag >= begin ? 4.0F : 1.0F;
      band[static_cast<size_t>(y)][static_cast<size_t>(lag - 1)] =
          clump * noise(random) / static_cast<float>(1 + lag / 8);
    }
  }
  return band;
}

// One for keys in the query's own block, zero for others. `ends`: ends of the blocks, ascending, counted in rows.
inline Band BlockBand(const std::vector<int64_t>& ends, int64_t width) {
  Band band;
  int64_t begin = 0;
  for (const int64_t end : ends) {
    for (int64_t y = begin; y < end; ++y) {
      std::vector<float> row(static_cast<size_t>(width), 0.0F);
      for (int64_t lag = 1; lag <= width && y - lag >= begin; ++lag) row[static_cast<size_t>(lag - 1)] = 1.0F;
      band.push_back(std::move(row));
    }
    begin = end;
  }
  return band;
}

// theta of every row: kappa * mean over the rows before, over cells whose key is row 0 or later.
inline std::vector<double> SlowBaselines(const Band& band, double kappa) {
  std::vector<double> baselines;
  double sum = 0;
  int64_t cells = 0;
  for (size_t y = 0; y < band.size(); ++y) {
    baselines.push_back(cells == 0 ? 0.0 : kappa * sum / static_cast<double>(cells));
    for (size_t lag = 1; lag <= band[y].size() && lag <= y; ++lag) {
      sum += static_cast<double>(band[y][lag - 1]);
      ++cells;
    }
  }
  return baselines;
}

// Score of rows [begin, end), straight from the definition.
inline double SlowScore(const Band& band, const std::vector<double>& baselines, int64_t begin, int64_t end) {
  double score = 0;
  for (int64_t y = begin; y < end; ++y) {
    for (int64_t x = begin; x < y; ++x) {
      score += static_cast<double>(band[static_cast<size_t>(y)][static_cast<size_t>(y - x - 1)]) -
               baselines[static_cast<size_t>(y)];
    }
  }
  return score;
}

inline TriangleScore Scored(const Band& band, int64_t first, double kappa) {
  TriangleScore scores(first, static_cast<int64_t>(band[0].size()), kappa, static_cast<int64_t>(band.size()) + 2);
  for (const auto& row : band) scores.Push(row);
  return scores;
}

inline float ScoreOf(const TriangleScore& scores, int64_t begin, int64_t end) {
  return scores.Row(end - 1)[end - 1 - begin];
}

}  // namespace ltri

#endif  // LTRI_TESTS_SPANS_TEST_BAND_H_
