// Where the dimensions of a model's heads lie on the card.
//
// Kernels know heads of 64, 128 or 256 dimensions whose dimension i turns with i + head_dim / 2. Other heads get
// dimensions that are 0, and those that turn in part only are put in that order, with pairs that do not turn. Products
// of queries and keys stay what they are.
#ifndef LTRI_CUDA_HEAD_LAYOUT_H_
#define LTRI_CUDA_HEAD_LAYOUT_H_

#include <cstdint>
#include <vector>

#include "weights/model_config.h"

namespace ltri::cuda {

inline constexpr int64_t kMostHeadDim = 256;

// Dimensions that a head of the model has on the card; 0: it does not fit.
inline int64_t CardHeadDim(int64_t head_dim) {
  for (int64_t dims = 64; dims <= kMostHeadDim; dims *= 2) {
    if (head_dim <= dims) return dims;
  }
  return 0;
}

// Which dimension of a head comes at each place; -1: none, a 0.
using HeadOrder = std::vector<int32_t>;

// Of values.
inline HeadOrder PlainOrder(int64_t head_dim) {
  HeadOrder order(static_cast<size_t>(CardHeadDim(head_dim)), -1);
  for (int64_t i = 0; i < head_dim; ++i) order[static_cast<size_t>(i)] = static_cast<int32_t>(i);
  return order;
}

// Of queries and keys, whose first `turned` dimensions turn in such pairs.
inline HeadOrder TurnedOrder(int64_t head_dim, int64_t turned, RopePairs pairs) {
  const int64_t half = CardHeadDim(head_dim) / 2;
  HeadOrder order(static_cast<size_t>(2 * half), -1);
  const auto put = [&](int64_t pair, int64_t first, int64_t second) {
    order[static_cast<size_t>(pair)] = static_cast<int32_t>(first);
    order[static_cast<size_t>(half + pair)] = static_cast<int32_t>(second);
  };
  int64_t pair = 0;
  for (; pair < turned / 2; ++pair) {
    pairs == RopePairs::kAdjacent ? put(pair, 2 * pair, 2 * pair + 1) : put(pair, pair, pair + turned / 2);
  }
  for (int64_t dim = turned; dim < head_dim; dim += 2, ++pair) put(pair, dim, dim + 1);
  return order;
}

// Heads as files and the host have them, beside those of the card: keys whose first `turned` dimensions turn with those
// half of `turned` behind them.
struct HostHeads {
  int64_t head_dim;
  HeadOrder keys, values;
  bool same;  // as on the card

  HostHeads(int64_t dims, int64_t turned)
      : head_dim(dims), keys(TurnedOrder(dims, turned, RopePairs::kHalves)), values(PlainOrder(dims)) {
    same = keys == values && CardHeadDim(dims) == dims;
  }

  template <typename T>
  static void ToHost(const HeadOrder& order, const T* card, T* host) {
    for (size_t i = 0; i < order.size(); ++i) {
      if (order[i] >= 0) host[order[i]] = card[i];
    }
  }
  template <typename T>
  static void ToCard(const HeadOrder& order, const T* host, T* card) {
    for (size_t i = 0; i < order.size(); ++i) card[i] = order[i] < 0 ? T{0} : host[order[i]];
  }
};

// The rows of `heads` heads that follow each other.
inline std::vector<int32_t> RowOrder(const HeadOrder& order, int64_t heads, int64_t head_dim) {
  std::vector<int32_t> rows;
  for (int64_t head = 0; head < heads; ++head) {
    for (const int32_t dim : order) rows.push_back(dim < 0 ? -1 : static_cast<int32_t>(head * head_dim + dim));
  }
  return rows;
}

}  // namespace ltri::cuda

#endif  // LTRI_CUDA_HEAD_LAYOUT_H_
