#include "eval/report/compare.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

namespace ltri {
namespace {

struct Pairs {
  std::vector<double> before;
  std::vector<double> after;
  std::vector<double> change;
};

const char* Verdict(const Difference& d) {
  if (!d.is_clear()) return "not told apart";
  return d.interval.low > 0 ? "better" : "worse";
}

}  // namespace

Result<std::vector<Difference>> Compare(const std::vector<Record>& before, const std::vector<Record>& after) {
  std::map<std::string, const Record*> earlier;
  for (const Record& record : before) earlier[record.id] = &record;
  std::map<std::pair<std::string, int64_t>, Pairs> tasks;
  for (const Record& record : after) {
    const auto other = earlier.find(record.id);
    if (other == earlier.end()) continue;
    if (other->second->references != record.references) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("sample {} has other answers in the two runs: they were made from other seeds or texts",
                               record.id)};
    }
    Pairs& pairs = tasks[{record.task, record.length}];
    pairs.before.push_back(other->second->score);
    pairs.after.push_back(record.score);
    pairs.change.push_back(record.score - other->second->score);
  }
  if (tasks.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "the two have no sample in common: compare runs of the same suite, lengths "
                 "and seed"};
  }
  std::vector<Difference> differences;
  std::vector<std::vector<double>> changes;
  Difference all;
  for (const auto& [key, pairs] : tasks) {
    differences.push_back({key.first, key.second, static_cast<int64_t>(pairs.change.size()), Mean(pairs.before),
                           Mean(pairs.after), BootstrapInterval({pairs.change})});
    changes.push_back(pairs.change);
    all.pairs += differences.back().pairs;
    all.before += differences.back().before / static_cast<double>(tasks.size());
    all.after += differences.back().after / static_cast<double>(tasks.size());
  }
  all.interval = BootstrapInterval(changes);
  differences.push_back(all);
  return differences;
}

std::string ComparisonTable(const std::vector<Difference>& differences) {
  const auto line = [](auto... parts) {
    return fmt::format("{:<34} {:>7} {:>5} {:>7} {:>7} {:>8} {:>16}  {}\n", parts...);
  };
  std::string table = line("task", "tokens", "pairs", "A %", "B %", "B - A", "95% interval", "B is");
  for (const Difference& d : differences) {
    table += line(d.task.empty() ? "mean of tasks" : d.task, d.length > 0 ? fmt::format("{}", d.length) : "", d.pairs,
                  fmt::format("{:.1f}", 100 * d.before), fmt::format("{:.1f}", 100 * d.after),
                  fmt::format("{:+.1f}", 100 * (d.after - d.before)),
                  fmt::format("{:+.1f} to {:+.1f}", 100 * d.interval.low, 100 * d.interval.high), Verdict(d));
  }
  return table;
}

nlohmann::ordered_json ComparisonJson(const std::vector<Difference>& differences) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Difference& d : differences) {
    rows.push_back({{"task", d.task},
                    {"tokens", d.length},
                    {"pairs", d.pairs},
                    {"before", d.before},
                    {"after", d.after},
                    {"difference", d.after - d.before},
                    {"low", d.interval.low},
                    {"high", d.interval.high},
                    {"verdict", Verdict(d)}});
  }
  return {{"compare", rows}};
}

}  // namespace ltri
