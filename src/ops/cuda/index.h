// The index of a layer's stored spans on the card, and what queries find in it (contracts: ops/quantize.h,
// ops/index_scan.h, ops/vote.h; policy: attention/voting.h). All vectors are compared.
#ifndef LTRI_OPS_CUDA_INDEX_H_
#define LTRI_OPS_CUDA_INDEX_H_

#include <cstdint>

#include "ops/cuda/device.h"
#include "ops/cuda/heads.h"
#include "ops/cuda/types.h"

namespace ltri::cuda {

inline constexpr int kSpanVectors = 4;  // evenly spaced keys that stand for a span

// One layer's spans follow each other without gaps: span s is [borders[s], borders[s + 1]).
struct DeviceIndex {
  int64_t capacity = 0;            // spans
  const int32_t* spans = nullptr;  // how many there are
  const int32_t* borders = nullptr;
  int8_t* vectors = nullptr;  // [kv_heads, capacity, kSpanVectors, head_dim] keys minus their head's mean key
  float* scales = nullptr;    // [kv_heads, capacity, kSpanVectors]
  float* mean = nullptr;      // [kv_heads, head_dim]
};

// mean = that of the keys of tokens [first, first + count).
void MeanKey(Stream stream, const HeadShape& shape, const SequenceRef* sequence, int64_t layer, int32_t first,
             int32_t count, const DeviceIndex& index);

// Fills the vectors of spans [first, first + count), whose borders are there.
void IndexSpans(Stream stream, const HeadShape& shape, const SequenceRef* sequence, int64_t layer,
                const DeviceIndex& index, int32_t first, int32_t count);

// Which queries of a step vote.
enum class Voters {
  kMeans,    // that of all rows, and those of each 64 where there are more
  kMean,     // that of all rows
  kLastRows  // the last 64 rows, each for itself
};
int64_t VoterRows(Voters voters, int64_t rows);

// queries: [heads, VoterRows, head_dim] halves, un-rotated. *highest = 0, for CastVotes.
void CollectVoters(Stream stream, const HeadShape& shape, const Projections& p, Voters voters, void* queries,
                   uint32_t* highest);

// The votes of all heads on the layer's spans: softmax over spans of their best vector's product, averaged over a
// head's queries, weighted by how decided each is, summed.
struct VoteArgs {
  HeadShape shape;
  DeviceIndex index;
  const void* queries = nullptr;  // of CollectVoters
  int64_t rows = 1;               // a head
  bool by_entropy = true;
  const float* head_weights = nullptr;  // [heads] on the card, a factor of each head's vote; null: all alike
  int64_t most_spans = 0;               // there are no more; the size of the work
  void* relevance = nullptr;            // scratch, VoteScratchBytes
  float* votes = nullptr;               // [spans]
  uint32_t* highest = nullptr;          // the largest vote, as bits; cleared by CollectVoters
};
int64_t VoteScratchBytes(const HeadShape& shape, int64_t rows, int64_t most_spans);
void CastVotes(Stream stream, const VoteArgs& args);

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_INDEX_H_
