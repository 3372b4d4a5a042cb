// Voting: what the heads of one layer ask for (docs/ltri.md, "retrieval"; specification section 6).
#ifndef LTRI_ATTENTION_VOTING_H_
#define LTRI_ATTENTION_VOTING_H_

#include <cstdint>
#include <vector>

#include "base/thread_pool.h"
#include "ltri/options.h"
#include "memory/span_index.h"
#include "model/attention_memory.h"
#include "ops/rope.h"
#include "spans/ballot.h"

namespace ltri {

// The queries that vote for a step. q: [count, heads, head_dim], un-rotated.
// Returns [heads, rows, head_dim]: a decoded token's own query; a block's mean and the means of its 64s; at a prompt's
// end the last 64 queries each for itself, since a short question drowns in a mean.
struct VotingRows {
  int64_t rows = 0;
  std::vector<float> queries;
};
VotingRows CollectQueries(const float* q, int64_t heads, int64_t head_dim, const StepRange& step,
                          VotingQueries voting_queries, const RopeTable* rope, int64_t distance);

// The heads that vote, [layers * heads]; empty: all. Where a table weighs votes, those that copy; of these, or of all,
// the best `voting_heads`.
std::vector<uint8_t> ChooseVoters(const SessionOptions& options);

// How the votes of one layer are cast.
struct VotingRule {
  Votes votes = Votes::kSoftmax;
  VoteWeights weights = VoteWeights::kEntropy;
  const float* head_weights = nullptr;  // [heads], for kHeadTable
  const uint8_t* voters = nullptr;      // [heads] heads that vote; null: all
  float scale = 1.0F;                   // of dot products
  int64_t probes = 128;                 // clusters of the index that each query opens
  int64_t most = 128;                   // spans on a ballot
  // A softmax vote below this part of the layer's highest is dropped: it does not change what the layers choose
  // together.
  float minor = 1e-3F;
};

// The votes of the heads on spans, averaged over their queries and summed over `groups` equal groups of heads:
// [groups], the highest of each.
std::vector<Ballot> CastVotes(ThreadPool& pool, const SpanIndex& index, const VotingRows& queries, int64_t heads,
                              const VotingRule& rule, int64_t groups);

}  // namespace ltri

#endif  // LTRI_ATTENTION_VOTING_H_
