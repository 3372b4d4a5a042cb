// Settings of a session. Every field has the default that docs/ltri.md justifies by measurement.
#ifndef LTRI_OPTIONS_H_
#define LTRI_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace ltri {

// A token of the model's vocabulary.
using TokenId = int32_t;

// How far keys (sinks and recalled spans) are placed relative to the query. Local keys always keep true distances.
enum class Positions {
  kAuto,     // kCompact: the same as kTrue while nothing is left out
  kTrue,     // their real positions
  kClamp,    // all at one distance, the window
  kCompact,  // sinks, recalled spans in text order and window are numbered consecutively
};

// How a prompt is read.
enum class Prefill {
  kAuto,    // dense while it fits the trained context and costs no more than the linear layers, streamed beyond
  kStream,  // every block sees sinks, recalled spans and the window: linear in the length
  kDense,   // every token sees everything before it: quadratic
};

// How the stream is cut into spans.
enum class SpanSelector {
  kPartition,  // exact best partition by triangle score
  kNms,        // greedy by score, overlaps suppressed
  kFixed,      // blocks of max_span tokens
};

// Which keys represent a span in the index.
enum class IndexVectors {
  kEven,      // `index_vectors` keys, evenly spaced
  kReceived,  // the `index_vectors` most attended keys
  kDynamic,   // 1..6 most attended keys, more for spans of low confidence
  kMean4,     // one vector: the mean of the 4 most attended keys of each head
  kAll,       // every key
};

// Who shares a choice of spans.
enum class Sharing {
  kGlobal,  // votes over token positions, shared by all layers
  kLayer,   // the heads of one layer
  kKvHead,  // the query heads of one KV head
  kHead,    // each query head for itself
};

// How much a head's vote counts.
enum class VoteWeights {
  kAuto,       // kHeadTable where the model's retrieval heads are known, kEntropy elsewhere
  kEntropy,    // how decided it is: 1 - normalised entropy of its vote
  kUniform,    // all alike
  kHeadTable,  // how decided it is, times its retrieval score (ModelInfo::head_table)
};

// How a head's scores become votes.
enum class Votes {
  kSoftmax,  // softmax over spans
  kRaw,      // the dot products themselves (InfLLM)
};

// Which queries vote during prefill.
enum class VotingQueries {
  kSubBlocks,  // block mean and means of 64; the last 64 of a prompt each for itself
  kBlockMean,  // block mean only (InfLLM)
};

struct SessionOptions {
  // dense | streaming | infllm | ltri. infllm brings its published settings of spans, index and votes with it and
  // ignores those below; sizes, positions (kAuto: kClamp) and prefill (kAuto: kStream) hold for every method.
  std::string method = "ltri";

  int64_t sinks = 64;     // tokens at the start that stay visible
  int64_t window = 1024;  // tokens before the newest that stay visible
  int64_t budget = 1024;  // recalled tokens per layer
  int64_t block = 512;    // prompt tokens per prefill step
  // Bytes of RAM for keys, values and index vectors; what does not fit goes to a temporary file. 0: no limit.
  int64_t memory = 0;

  Positions positions = Positions::kAuto;
  Prefill prefill = Prefill::kAuto;
  int64_t second_reading = 64;  // tokens at a prompt's end that are read again with what the answer will see; 0: off
  int64_t rereadings = 2;       // how often

  SpanSelector spans = SpanSelector::kPartition;
  double kappa = 2.0;      // baseline of the triangle score, in means of the band
  int64_t min_span = 8;    // tokens
  int64_t max_span = 128;  // tokens; also the width of the band

  IndexVectors index = IndexVectors::kEven;
  int64_t index_vectors = 4;
  bool index_clusters = true;  // long indexes are searched by clusters: an estimate, but bounded work
  int64_t index_probes = 128;  // clusters that a query opens

  Sharing sharing = Sharing::kGlobal;
  VoteWeights vote_weights = VoteWeights::kAuto;
  Votes votes = Votes::kSoftmax;
  VotingQueries voting_queries = VotingQueries::kSubBlocks;
  std::vector<float> head_table;  // [layers * heads] retrieval scores; empty: the model's, where they are wanted
  int64_t voting_heads = 0;       // only so many heads, the best of the table, vote and are indexed; 0: all that count
  int64_t vote_reach = 64;  // tokens behind a voted span whose spans are lent its vote, less with distance; 0: off
  int64_t reselect = 4;     // a layer chooses its spans anew at every so many decoded tokens, in turn

  bool clamp_relevance = false;  // queries are turned by the clamp distance before they meet the index (InfLLM)

  bool persistence = true;
  double persistence_share = 0.5;    // of the budget, kept for what was recalled before
  double persistence_decode = 0.9;   // decay per decoded token
  double persistence_prefill = 0.7;  // decay per prefill block
};

// Whether the method reads options.head_table.
inline bool WantsHeadTable(const SessionOptions& options) {
  return options.vote_weights == VoteWeights::kHeadTable || options.voting_heads > 0;
}

struct SamplingOptions {
  float temperature = 0.0F;  // 0: greedy
  int32_t top_k = 40;
  float top_p = 0.95F;
  float min_p = 0.05F;
  float repeat_penalty = 1.0F;
  int32_t repeat_last_n = 64;
  float frequency_penalty = 0.0F;  // taken from a token's logit for each time it is among the last repeat_last_n
  float presence_penalty = 0.0F;   // taken once
  std::vector<std::pair<TokenId, float>> logit_bias;
  uint32_t seed = 0;
};

// What a long operation reports. Return false from the callback to stop it.
struct Progress {
  int64_t done = 0;   // tokens
  int64_t total = 0;  // tokens
  double seconds = 0;
};
using ProgressCallback = std::function<bool(const Progress&)>;

}  // namespace ltri

#endif  // LTRI_OPTIONS_H_
