#include "cuda/device_voters.h"

#include <algorithm>

#include "attention/voting.h"

namespace ltri::cuda {

DeviceVoters::DeviceVoters(Stream stream, const ModelConfig& config, const SessionOptions& options) {
  const std::vector<uint8_t> chosen = ChooseVoters(options);
  const bool weighed = options.vote_weights == VoteWeights::kHeadTable;
  std::vector<int32_t> lists;
  std::vector<float> weights;
  struct Place {
    size_t heads, kv_heads, first, weights;
  };
  std::vector<Place> places;
  const auto per_kv = static_cast<int32_t>(config.heads / config.kv_heads);
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    std::vector<int32_t> heads;
    std::vector<int32_t> kv_heads;
    std::vector<int32_t> first;
    const size_t first_weight = weights.size();
    for (int32_t head = 0; head < config.heads && !config.IsSliding(layer); ++head) {
      const auto at = static_cast<size_t>(layer * config.heads + head);
      if (!chosen.empty() && chosen[at] == 0) continue;
      const int32_t kv_head = head / per_kv;
      if (kv_heads.empty() || kv_heads.back() != kv_head) {
        kv_heads.push_back(kv_head);
        first.push_back(static_cast<int32_t>(heads.size()));
      }
      heads.push_back(head);
      if (weighed) weights.push_back(options.head_table[at]);
    }
    first.push_back(static_cast<int32_t>(heads.size()));
    kept_.emplace_back(static_cast<size_t>(config.kv_heads), uint8_t{0});
    for (const int32_t kv_head : kv_heads) kept_.back()[static_cast<size_t>(kv_head)] = 1;
    VotingHeads of_layer;
    of_layer.voters = static_cast<int32_t>(heads.size());
    of_layer.indexed = static_cast<int32_t>(kv_heads.size());
    layers_.push_back(of_layer);
    indexed_ += of_layer.indexed;
    most_ = std::max<int64_t>(most_, of_layer.voters);
    places.push_back(
        {lists.size(), lists.size() + heads.size(), lists.size() + heads.size() + kv_heads.size(), first_weight});
    for (const auto* list : {&heads, &kv_heads, &first}) lists.insert(lists.end(), list->begin(), list->end());
  }
  lists_ = Buffer(static_cast<int64_t>(lists.size() * sizeof(int32_t)));
  Upload(stream, lists_.as<void>(), lists.data(), lists_.bytes());
  weights_ = Buffer(static_cast<int64_t>(weights.size() * sizeof(float)));
  if (weighed) Upload(stream, weights_.as<void>(), weights.data(), weights_.bytes());
  for (size_t layer = 0; layer < layers_.size(); ++layer) {
    VotingHeads& of_layer = layers_[layer];
    of_layer.heads = lists_.as<int32_t>() + places[layer].heads;
    of_layer.kv_heads = lists_.as<int32_t>() + places[layer].kv_heads;
    of_layer.first = lists_.as<int32_t>() + places[layer].first;
    if (weighed) of_layer.weights = weights_.as<float>() + places[layer].weights;
  }
}

}  // namespace ltri::cuda
