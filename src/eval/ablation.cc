#include "eval/ablation.h"

namespace ltri {
namespace {

template <int64_t kTokens>
void Fixed(SessionOptions& o) {
  o.spans = SpanSelector::kFixed;
  o.max_span = kTokens;
  o.min_span = kTokens;
}

template <IndexVectors kIndex, int64_t kVectors>
void Index(SessionOptions& o) {
  o.index = kIndex;
  o.index_vectors = kVectors;
}

template <int64_t kTokens>
void SecondReading(SessionOptions& o) {
  o.second_reading = kTokens;
}

template <int64_t kTokens>
void Reach(SessionOptions& o) {
  o.vote_reach = kTokens;
}

template <int64_t kTokens>
void Reselect(SessionOptions& o) {
  o.reselect = kTokens;
}

template <Positions kMode>
void Place(SessionOptions& o) {
  o.positions = kMode;
}

template <Sharing kWith>
void Share(SessionOptions& o) {
  o.sharing = kWith;
}

}  // namespace

const std::vector<AblationRow>& AblationRows() {
  using O = SessionOptions;
  static const std::vector<AblationRow> rows = {
      {"dense", [](O& o) { o.method = "dense"; }},
      {"streaming", [](O& o) { o.method = "streaming"; }},
      {"infllm", [](O& o) { o.method = "infllm"; }},
      {"ltri", [](O&) {}},
      {"spans fixed 16", Fixed<16>},
      {"spans fixed 32", Fixed<32>},
      {"spans fixed 128", Fixed<128>},
      {"spans nms", [](O& o) { o.spans = SpanSelector::kNms; }},
      {"kappa 0.5", [](O& o) { o.kappa = 0.5; }},
      {"kappa 1", [](O& o) { o.kappa = 1; }},
      {"kappa 4", [](O& o) { o.kappa = 4; }},
      {"max span 32", [](O& o) { o.max_span = 32; }},
      {"max span 64", [](O& o) { o.max_span = 64; }},
      {"max span 256", [](O& o) { o.max_span = 256; }},
      {"index even 1", Index<IndexVectors::kEven, 1>},
      {"index even 2", Index<IndexVectors::kEven, 2>},
      {"index even 8", Index<IndexVectors::kEven, 8>},
      {"index received 2", Index<IndexVectors::kReceived, 2>},
      {"index received 4", Index<IndexVectors::kReceived, 4>},
      {"index dynamic", [](O& o) { o.index = IndexVectors::kDynamic; }},
      {"index mean of 4", [](O& o) { o.index = IndexVectors::kMean4; }},
      {"index all keys", [](O& o) { o.index = IndexVectors::kAll; }},
      {"index without clusters", [](O& o) { o.index_clusters = false; }},
      {"votes by layer", Share<Sharing::kLayer>},
      {"votes by kv head", Share<Sharing::kKvHead>},
      {"votes by head", Share<Sharing::kHead>},
      {"weights uniform", [](O& o) { o.vote_weights = VoteWeights::kUniform; }},
      {"weights entropy", [](O& o) { o.vote_weights = VoteWeights::kEntropy; }},
      {"voting heads 4", [](O& o) { o.voting_heads = 4; }},
      {"voting heads 8", [](O& o) { o.voting_heads = 8; }},
      {"voting heads 16", [](O& o) { o.voting_heads = 16; }},
      {"votes raw", [](O& o) { o.votes = Votes::kRaw; }},
      {"queries block mean", [](O& o) { o.voting_queries = VotingQueries::kBlockMean; }},
      {"second reading 0", SecondReading<0>},
      {"second reading 32", SecondReading<32>},
      {"second reading 128", SecondReading<128>},
      {"one rereading", [](O& o) { o.rereadings = 1; }},
      {"no persistence", [](O& o) { o.persistence = false; }},
      {"persistence quarter", [](O& o) { o.persistence_share = 0.25; }},
      {"persistence three quarters", [](O& o) { o.persistence_share = 0.75; }},
      {"positions true", Place<Positions::kTrue>},
      {"positions clamp", Place<Positions::kClamp>},
      {"positions compact", Place<Positions::kCompact>},
      {"clamp relevance", [](O& o) { o.clamp_relevance = true; }},
      {"vote reach 0", Reach<0>},
      {"vote reach 128", Reach<128>},
      {"reselect 1", Reselect<1>},
      {"reselect 8", Reselect<8>},
      {"reselect 16", Reselect<16>},
      {"prefill dense", [](O& o) { o.prefill = Prefill::kDense; }},
  };
  return rows;
}

}  // namespace ltri
