#include "engine/options_state.h"

#include <string>
#include <type_traits>
#include <vector>

namespace ltri {
namespace {

// Calls visit(field) for all fields, in the order in which they are saved.
template <typename Options, typename Visit>
void ForFields(Options& o, Visit&& visit) {
  visit(o.method);
  visit(o.sinks), visit(o.window), visit(o.budget), visit(o.block);
  visit(o.positions), visit(o.prefill), visit(o.second_reading), visit(o.rereadings);
  visit(o.spans), visit(o.kappa), visit(o.min_span), visit(o.max_span);
  visit(o.index), visit(o.index_vectors), visit(o.index_clusters), visit(o.index_probes);
  visit(o.sharing), visit(o.vote_weights), visit(o.votes), visit(o.voting_queries);
  visit(o.head_table), visit(o.voting_heads), visit(o.vote_reach), visit(o.reselect);
  visit(o.clamp_relevance);
  visit(o.persistence), visit(o.persistence_share), visit(o.persistence_decode), visit(o.persistence_prefill);
}

// The last value of each choice.
constexpr int32_t Last(Positions) { return static_cast<int32_t>(Positions::kCompact); }
constexpr int32_t Last(Prefill) { return static_cast<int32_t>(Prefill::kDense); }
constexpr int32_t Last(SpanSelector) { return static_cast<int32_t>(SpanSelector::kFixed); }
constexpr int32_t Last(IndexVectors) { return static_cast<int32_t>(IndexVectors::kAll); }
constexpr int32_t Last(Sharing) { return static_cast<int32_t>(Sharing::kHead); }
constexpr int32_t Last(VoteWeights) { return static_cast<int32_t>(VoteWeights::kHeadTable); }
constexpr int32_t Last(Votes) { return static_cast<int32_t>(Votes::kRaw); }
constexpr int32_t Last(VotingQueries) { return static_cast<int32_t>(VotingQueries::kBlockMean); }

struct Putter {
  StateWriter* to;
  void operator()(const std::string& text) const { to->PutAll(std::span<const char>(text)); }
  void operator()(const std::vector<float>& values) const { to->PutAll(values); }
  void operator()(bool value) const { to->Put<uint8_t>(value ? 1 : 0); }
  template <typename T>
  void operator()(T value) const {
    if constexpr (std::is_enum_v<T>) {
      to->Put(static_cast<int32_t>(value));
    } else {
      to->Put(value);
    }
  }
};

struct Getter {
  StateReader* from;
  void operator()(std::string& text) const {
    const std::vector<char> all = from->GetAll<char>();
    text.assign(all.begin(), all.end());
  }
  void operator()(std::vector<float>& values) const { values = from->GetAll<float>(); }
  void operator()(bool& value) const { value = from->GetWithin<uint8_t>(0, 1, "a switch") != 0; }
  template <typename T>
  void operator()(T& value) const {
    if constexpr (std::is_enum_v<T>) {
      value = static_cast<T>(from->GetWithin<int32_t>(0, Last(T{}), "a choice"));
    } else {
      value = from->Get<T>();
    }
  }
};

}  // namespace

void PutOptions(const SessionOptions& options, StateWriter* to) { ForFields(options, Putter{to}); }

SessionOptions GetOptions(StateReader* from) {
  SessionOptions options;
  ForFields(options, Getter{from});
  return options;
}

}  // namespace ltri
