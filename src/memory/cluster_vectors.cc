#include "memory/cluster_vectors.h"

#include <algorithm>
#include <cmath>

#include "ops/gemm.h"

namespace ltri {
namespace {

constexpr int kRounds = 5;  // later ones move few vectors

// rows become unit vectors; zero stays zero.
void Normalise(std::vector<float>& rows, int64_t width) {
  for (size_t at = 0; at < rows.size(); at += static_cast<size_t>(width)) {
    float square = 0;
    for (int64_t j = 0; j < width; ++j) square += rows[at + static_cast<size_t>(j)] * rows[at + static_cast<size_t>(j)];
    const float scale = square > 0 ? 1.0F / std::sqrt(square) : 0.0F;
    for (int64_t j = 0; j < width; ++j) rows[at + static_cast<size_t>(j)] *= scale;
  }
}

}  // namespace

std::vector<int32_t> ClusterVectors(const float* vectors, int64_t count, int64_t head_dim, int64_t clusters) {
  std::vector<float> unit(vectors, vectors + count * head_dim);
  Normalise(unit, head_dim);
  std::vector<float> centres(static_cast<size_t>(clusters * head_dim));
  for (int64_t c = 0; c < clusters; ++c) {
    std::copy_n(unit.begin() + c * count / clusters * head_dim, head_dim, centres.begin() + c * head_dim);
  }
  std::vector<float> closeness(static_cast<size_t>(count * clusters));
  std::vector<int32_t> cluster(static_cast<size_t>(count), 0);
  for (int round = 0; round < kRounds; ++round) {
    GemmTransposed(count, clusters, head_dim, 1.0F, unit.data(), head_dim, centres.data(), head_dim, 0.0F,
                   closeness.data(), clusters);
    std::fill(centres.begin(), centres.end(), 0.0F);
    for (int64_t v = 0; v < count; ++v) {
      const float* row = closeness.data() + v * clusters;
      const int64_t nearest = std::max_element(row, row + clusters) - row;
      cluster[static_cast<size_t>(v)] = static_cast<int32_t>(nearest);
      float* centre = centres.data() + nearest * head_dim;
      const float* vector = unit.data() + v * head_dim;
      for (int64_t j = 0; j < head_dim; ++j) centre[j] += vector[j];
    }
    Normalise(centres, head_dim);
  }
  return cluster;
}

}  // namespace ltri
