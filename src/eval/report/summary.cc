#include "eval/report/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "eval/evidence.h"

namespace ltri {
namespace {

constexpr double kFound = 0.5;
constexpr double kUsed = 0.5;

using Records = std::vector<const Record*>;

template <typename Value>
std::vector<double> Values(const Records& records, const Value& value) {
  std::vector<double> values;
  values.reserve(records.size());
  for (const Record* record : records) values.push_back(value(*record));
  return values;
}

std::vector<double> Scores(const Records& records) {
  return Values(records, [](const Record& r) { return r.score; });
}

EvidenceUse UseOf(const Records& known) {
  EvidenceUse use;
  for (const Record* record : known) {
    const bool found = record->recall >= kFound;
    const bool used = record->score >= kUsed;
    ++use.known;
    ++(found ? (used ? use.found_and_used : use.found_not_used) : (used ? use.right_all_the_same : use.not_found));
  }
  return use;
}

double Rate(double tokens, double seconds) { return seconds > 0 ? tokens / seconds : 0.0; }

// Records by key, keys in the order of their first records.
template <typename Key>
std::vector<std::pair<Key, Records>> GroupBy(const Records& records, Key (*key)(const Record&)) {
  std::vector<std::pair<Key, Records>> groups;
  std::map<Key, size_t> places;
  for (const Record* record : records) {
    const auto [place, added] = places.emplace(key(*record), groups.size());
    if (added) groups.push_back({place->first, {}});
    groups[place->second].second.push_back(record);
  }
  return groups;
}

using TaskKey = std::pair<std::string, int64_t>;
using DepthKey = std::tuple<std::string, int64_t, double>;

TaskKey TaskOf(const Record& record) { return {record.task, record.length}; }
DepthKey DepthOf(const Record& record) { return {record.task, record.length, record.depth}; }

std::vector<float> LayerRecall(const Records& records, int64_t heads) {
  std::vector<float> sum;
  float count = 0;
  for (const Record* record : records) {
    if (record->answer.heads_first.empty()) continue;
    const std::vector<float> layers = RecallByLayer(record->answer.heads_first, heads);
    sum.resize(layers.size(), 0.0F);
    for (size_t i = 0; i < layers.size(); ++i) sum[i] += layers[i];
    ++count;
  }
  for (float& recall : sum) recall /= count;
  return sum;
}

}  // namespace

Figures FiguresOf(const Records& records) {
  Figures figures;
  figures.count = static_cast<int64_t>(records.size());
  figures.score = Mean(Scores(records));
  figures.interval = WilsonInterval(figures.score, figures.count);
  Records known;
  Records weighed;
  double prompt_tokens = 0;
  double prefill = 0;
  double answer_tokens = 0;
  double decode = 0;
  for (const Record* record : records) {
    if (record->recall >= 0) known.push_back(record);
    if (record->answer.mass >= 0) weighed.push_back(record);
    prompt_tokens += static_cast<double>(record->answer.prompt_tokens);
    prefill += record->answer.prefill_seconds;
    answer_tokens += static_cast<double>(record->answer.answer_tokens);
    decode += record->answer.decode_seconds;
  }
  figures.use = UseOf(known);
  if (!known.empty()) {
    figures.recall = Mean(Values(known, [](const Record& r) { return r.recall; }));
    figures.recall_first = Mean(Values(known, [](const Record& r) { return r.recall_first; }));
  }
  if (!weighed.empty()) figures.mass = Mean(Values(weighed, [](const Record& r) { return r.answer.mass; }));
  figures.prefill_rate = Rate(prompt_tokens, prefill);
  figures.decode_rate = Rate(answer_tokens, decode);
  figures.key_value_bytes =
      Mean(Values(records, [](const Record& r) { return static_cast<double>(r.answer.memory.keys_and_values); }));
  figures.index_bytes =
      Mean(Values(records, [](const Record& r) { return static_cast<double>(r.answer.memory.index); }));
  return figures;
}

Summary Summarize(const std::vector<Record>& records, const std::vector<std::string>& targets, int64_t heads) {
  Summary summary;
  for (const std::string& target : targets) {
    Records own;
    for (const Record& record : records) {
      if (record.target == target) own.push_back(&record);
    }
    if (own.empty()) continue;
    std::vector<std::vector<double>> scores;
    for (const auto& [key, group] : GroupBy(own, TaskOf)) {
      summary.tasks.push_back({target, key.first, group.front()->source, key.second, FiguresOf(group)});
      scores.push_back(Scores(group));
    }
    for (const auto& [key, group] : GroupBy(own, DepthOf)) {
      const auto& [task, length, depth] = key;
      if (depth < 0) continue;
      summary.depths.push_back({target, task, length, depth, static_cast<int64_t>(group.size()), Mean(Scores(group))});
    }
    TargetFigures all{target, static_cast<int64_t>(scores.size()), FiguresOf(own), {}};
    all.figures.score = MeanOfMeans(scores);
    all.figures.interval = BootstrapInterval(scores);
    if (heads > 0) all.layer_recall = LayerRecall(own, heads);
    summary.targets.push_back(std::move(all));
  }
  return summary;
}

std::string LabelOf(const std::string& task, const std::string& source) {
  return IsStandIn(source) ? fmt::format("{} [{}]", task, source) : task;
}

}  // namespace ltri
