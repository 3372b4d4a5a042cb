// Every method, and ltri in every setting, as parameters of the conformance suite.
#ifndef LTRI_TESTS_CONFORMANCE_SETTINGS_H_
#define LTRI_TESTS_CONFORMANCE_SETTINGS_H_

#include <functional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "attention/registry.h"
#include "support/tiny_session.h"

namespace ltri::testing {

struct Setting {
  std::string name;
  std::string model;
  SessionOptions options;

  bool Recalls() const { return options.method == "ltri" || options.method == "infllm"; }
};

inline std::ostream& operator<<(std::ostream& out, const Setting& setting) { return out << setting.name; }

// A retrieval table in which a few heads decide.
inline std::vector<float> SmallHeadTable(const ModelInfo& info) {
  std::vector<float> table(static_cast<size_t>(info.layers * info.heads), 0.0F);
  for (size_t i = 1; i < table.size(); i += 3) table[i] = 1.0F / static_cast<float>(i);
  return table;
}

inline std::vector<Setting> LtriVariants() {
  using O = SessionOptions;
  const std::vector<std::pair<std::string, std::function<void(O&)>>> edits = {
      {"nms", [](O& o) { o.spans = SpanSelector::kNms; }},
      {"fixed", [](O& o) { o.spans = SpanSelector::kFixed; }},
      {"received", [](O& o) { o.index = IndexVectors::kReceived; }},
      {"dynamic", [](O& o) { o.index = IndexVectors::kDynamic; }},
      {"mean4", [](O& o) { o.index = IndexVectors::kMean4; }},
      {"all_keys", [](O& o) { o.index = IndexVectors::kAll; }},
      {"layer", [](O& o) { o.sharing = Sharing::kLayer; }},
      {"kv_head", [](O& o) { o.sharing = Sharing::kKvHead; }},
      {"head", [](O& o) { o.sharing = Sharing::kHead; }},
      {"head_clamp", [](O& o) { o.sharing = Sharing::kHead, o.positions = Positions::kClamp; }},
      {"head_compact", [](O& o) { o.sharing = Sharing::kHead, o.positions = Positions::kCompact; }},
      {"uniform", [](O& o) { o.vote_weights = VoteWeights::kUniform; }},
      {"head_table", [](O& o) { o.vote_weights = VoteWeights::kHeadTable; }},
      {"few_voters", [](O& o) { o.voting_heads = 3; }},
      {"whole_index", [](O& o) { o.index_clusters = false; }},
      {"every_token", [](O& o) { o.reselect = 1; }},
      {"raw", [](O& o) { o.votes = Votes::kRaw; }},
      {"block_mean", [](O& o) { o.voting_queries = VotingQueries::kBlockMean; }},
      {"true", [](O& o) { o.positions = Positions::kTrue; }},
      {"clamp", [](O& o) { o.positions = Positions::kClamp, o.clamp_relevance = true; }},
      {"compact", [](O& o) { o.positions = Positions::kCompact; }},
      {"dense_prefill", [](O& o) { o.prefill = Prefill::kDense; }},
      {"auto_prefill", [](O& o) { o.prefill = Prefill::kAuto; }},
      {"forgetful", [](O& o) { o.persistence = false; }},
      {"read_once", [](O& o) { o.second_reading = 0; }},
      {"read_much_twice", [](O& o) { o.second_reading = 1000; }},
      {"no_budget", [](O& o) { o.budget = 0; }},
      {"no_sinks", [](O& o) { o.sinks = 0; }},
      {"large_blocks", [](O& o) { o.block = 150; }},
      {"tiny_blocks", [](O& o) { o.block = 3; }},
  };
  std::vector<Setting> settings;
  for (const auto& [name, edit] : edits) {
    Setting setting{"ltri_" + name, "llama", SmallOptions("ltri")};
    edit(setting.options);
    settings.push_back(std::move(setting));
  }
  return settings;
}

inline std::vector<Setting> AllSettings() {
  std::vector<Setting> settings;
  for (const char* model : {"llama", "gemma3"}) {
    for (const std::string& method : MethodNames()) {
      settings.push_back({method + "_" + model, model, SmallOptions(method)});
    }
  }
  for (Setting& setting : LtriVariants()) settings.push_back(std::move(setting));
  return settings;
}

}  // namespace ltri::testing

#endif  // LTRI_TESTS_CONFORMANCE_SETTINGS_H_
