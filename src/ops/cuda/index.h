// The index of a layer's stored spans on the card, and what queries find in it (contracts: ops/quantize.h,
// ops/index_scan.h, ops/vote.h; policy: attention/voting.h). All vectors are compared.
#ifndef LTRI_OPS_CUDA_INDEX_H_
#define LTRI_OPS_CUDA_INDEX_H_

#include <cstdint>
#include <span>

#include "ops/cuda/device.h"
#include "ops/cuda/heads.h"
#include "ops/cuda/types.h"

namespace ltri::cuda {

inline constexpr int kSpanVectors = 4;  // evenly spaced keys that stand for a span

// The heads of a layer that vote, and the KV heads whose keys they ask, which alone are indexed. Lists lie on the card.
struct VotingHeads {
  int32_t voters = 0;
  int32_t indexed = 0;                // KV heads
  const int32_t* heads = nullptr;     // [voters] ascending
  const int32_t* kv_heads = nullptr;  // [indexed] ascending
  const int32_t* first = nullptr;     // [indexed + 1] the first voter of each
  const float* weights = nullptr;     // [voters] what a vote counts; null: all alike
};

// One layer's spans follow each other without gaps: span s is [borders[s], borders[s + 1]).
struct DeviceIndex {
  VotingHeads heads;
  int64_t capacity = 0;      // spans
  int32_t* spans = nullptr;  // how many there are
  int32_t* borders = nullptr;
  int8_t* vectors = nullptr;  // [indexed, capacity, kSpanVectors, head_dim] keys minus their head's mean key
  float* scales = nullptr;    // [indexed, capacity, kSpanVectors]
  float* mean = nullptr;      // [indexed, head_dim]
};

// mean = that of the keys of tokens [first, first + count).
void MeanKey(Stream stream, const HeadShape& shape, const SequenceRef* sequence, int64_t layer, int32_t first,
             int32_t count, const DeviceIndex& index);

// Spans from number `first` on: their borders, one more than there are spans, and their vectors. *index.spans counts
// them from then on.
void IndexSpans(Stream stream, const HeadShape& shape, const SequenceRef* sequence, int64_t layer,
                const DeviceIndex& index, int32_t first, std::span<const int32_t> borders);

// Which queries of a step vote.
enum class Voters {
  kMeans,    // that of all rows, and those of each 64 where there are more
  kMean,     // that of all rows
  kLastRows  // the last 64 rows, each for itself
};
int64_t VoterRows(Voters voters, int64_t rows);

// The votes of a layer's heads on its spans: softmax over spans of their best vector's product, averaged over a head's
// queries, weighted by how decided each is, summed.
struct VoteArgs {
  HeadShape shape;
  DeviceIndex index;
  Projections p;  // of the step, un-rotated
  Voters voters = Voters::kMean;
  int64_t rows = 1;  // VoterRows of both
  bool by_entropy = true;
  int64_t most_spans = 0;       // there are no more; the size of the work
  void* queries = nullptr;      // scratch, VoterBytes
  void* relevance = nullptr;    // scratch, VoteScratchBytes
  float* votes = nullptr;       // [spans]
  float* asked = nullptr;       // [spans] the votes are added there; null: nowhere
  uint32_t* highest = nullptr;  // the largest vote, as bits
};
int64_t VoterBytes(const HeadShape& shape, int64_t voters, int64_t rows);
int64_t VoteScratchBytes(int64_t voters, int64_t rows, int64_t most_spans);
// All of one shape. Each has voters.
void CastVotes(Stream stream, std::span<const VoteArgs> args);

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_INDEX_H_
