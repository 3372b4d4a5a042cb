// infllm: InfLLM (arXiv 2402.04617) as settings of the recall machine: fixed blocks, one averaged vector a head, the
// raw scores of the block's mean query, far keys at one distance.
#include "attention/registry.h"

namespace ltri {

Result<std::unique_ptr<Method>> MakeInfLlm(const MethodContext& context, const SessionOptions& options) {
  SessionOptions settings = options;
  if (settings.positions == Positions::kAuto) settings.positions = Positions::kClamp;
  if (settings.prefill == Prefill::kAuto) settings.prefill = Prefill::kStream;
  settings.second_reading = 0;
  settings.spans = SpanSelector::kFixed;
  settings.index = IndexVectors::kMean4;
  settings.index_clusters = false;
  settings.voting_heads = 0;
  settings.vote_reach = 0;
  settings.reselect = 1;
  settings.sharing = Sharing::kLayer;
  settings.vote_weights = VoteWeights::kUniform;
  settings.votes = Votes::kRaw;
  settings.voting_queries = VotingQueries::kBlockMean;
  settings.clamp_relevance = settings.positions == Positions::kClamp;
  settings.persistence = false;
  return MakeRecall(context, settings);
}

}  // namespace ltri
