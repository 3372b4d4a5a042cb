#include "eval/evidence.h"

#include <algorithm>

namespace ltri {

double EvidenceRecall(const Session& session, int64_t layer, int64_t head, TokenRange evidence) {
  int64_t seen = 0;
  for (const TokenRange& range : session.Visible(layer, head)) {
    seen += std::max<int64_t>(0, std::min(range.end, evidence.end) - std::max(range.begin, evidence.begin));
  }
  return static_cast<double>(seen) / static_cast<double>(std::max<int64_t>(1, evidence.count()));
}

std::vector<float> EvidenceRecalls(const Session& session, const ModelInfo& info, TokenRange evidence) {
  std::vector<float> recalls;
  for (int64_t layer = 0; layer < info.layers; ++layer) {
    for (int64_t head = 0; head < info.heads; ++head) {
      recalls.push_back(static_cast<float>(EvidenceRecall(session, layer, head, evidence)));
    }
  }
  return recalls;
}

double WeightedRecall(const std::vector<float>& recalls, const std::vector<float>& table, const ModelInfo& info) {
  double sum = 0;
  double weights = 0;
  for (size_t i = 0; i < recalls.size(); ++i) {
    const bool full = info.full_attention[i / static_cast<size_t>(info.heads)];
    const double weight = table.empty() ? (full ? 1.0 : 0.0) : table[i];
    sum += weight * recalls[i];
    weights += weight;
  }
  return weights > 0 ? sum / weights : 0.0;
}

}  // namespace ltri
