#include "eval/evidence.h"

#include <algorithm>
#include <numeric>

namespace ltri {

double EvidenceRecall(const Session& session, int64_t layer, int64_t head, std::span<const TokenRange> evidence) {
  const std::vector<TokenRange> visible = session.Visible(layer, head);
  int64_t seen = 0;
  int64_t all = 0;
  for (const TokenRange& wanted : evidence) {
    all += wanted.count();
    for (const TokenRange& range : visible) {
      seen += std::max<int64_t>(0, std::min(range.end, wanted.end) - std::max(range.begin, wanted.begin));
    }
  }
  return static_cast<double>(seen) / static_cast<double>(std::max<int64_t>(1, all));
}

std::vector<float> EvidenceRecalls(const Session& session, const ModelInfo& info,
                                   std::span<const TokenRange> evidence) {
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

std::vector<float> RecallByLayer(const std::vector<float>& recalls, int64_t heads) {
  std::vector<float> layers;
  for (auto first = recalls.begin(); first != recalls.end(); first += heads) {
    layers.push_back(std::accumulate(first, first + heads, 0.0F) / static_cast<float>(heads));
  }
  return layers;
}

}  // namespace ltri
