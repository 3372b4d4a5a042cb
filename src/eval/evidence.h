// Evidence recall: how much of what the answer needs was in the attended set (docs/ltri.md; specification section 8).
#ifndef LTRI_EVAL_EVIDENCE_H_
#define LTRI_EVAL_EVIDENCE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "ltri/session.h"

namespace ltri {

// The share of the evidence's tokens that query head `head` of `layer` could see at the session's last step. 0..1
double EvidenceRecall(const Session& session, int64_t layer, int64_t head, std::span<const TokenRange> evidence);

// One value a (layer, head) for a step: [layers * heads]. Sliding-window layers count like any other.
std::vector<float> EvidenceRecalls(const Session& session, const ModelInfo& info, std::span<const TokenRange> evidence);

// The mean of `recalls` weighted by a retrieval-head table [layers * heads]; the plain mean over full-attention layers
// when the table is empty.
double WeightedRecall(const std::vector<float>& recalls, const std::vector<float>& table, const ModelInfo& info);

// The mean of each layer's heads. [layers]
std::vector<float> RecallByLayer(const std::vector<float>& recalls, int64_t heads);

}  // namespace ltri

#endif  // LTRI_EVAL_EVIDENCE_H_
