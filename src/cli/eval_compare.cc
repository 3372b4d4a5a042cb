// `ltri eval compare`: two runs, or two methods of a run, over the samples that both answered.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/command.h"
#include "cli/eval.h"
#include "eval/report/compare.h"
#include "eval/run/results_store.h"

namespace ltri {
namespace {

struct CompareOptions {
  std::string before;
  std::string after;
  bool json = false;
};

struct Side {
  std::string name;
  std::vector<Record> records;
};

// "FOLDER" or "FOLDER:METHOD". Sides of several methods, one each.
Result<std::vector<Side>> ReadSides(const std::string& argument) {
  std::string folder = argument;
  std::string method;
  Result<StoredRun> run = ReadRun(folder);
  if (const size_t colon = argument.find(':'); !run.ok() && colon != std::string::npos) {
    folder = argument.substr(0, colon);
    method = argument.substr(colon + 1);
    run = ReadRun(folder);
  }
  if (!run.ok()) return run.error();
  std::vector<Side> sides;
  for (Record& record : run->records) {
    if (!method.empty() && record.target != method) continue;
    if (sides.empty() || sides.back().name != record.target) {
      const auto known =
          std::find_if(sides.begin(), sides.end(), [&](const Side& side) { return side.name == record.target; });
      if (known != sides.end()) {
        known->records.push_back(std::move(record));
        continue;
      }
      sides.push_back({record.target, {}});
    }
    sides.back().records.push_back(std::move(record));
  }
  if (!sides.empty()) return sides;
  return Error{ErrorCode::kNotFound,
               fmt::format("{} holds no answers{}", folder, method.empty() ? "" : fmt::format(" of '{}'", method))};
}

// One method a side: these two. Several: those of the same name.
std::vector<std::pair<const Side*, const Side*>> Matching(const std::vector<Side>& before,
                                                          const std::vector<Side>& after) {
  if (before.size() == 1 && after.size() == 1) return {{&before[0], &after[0]}};
  std::vector<std::pair<const Side*, const Side*>> pairs;
  for (const Side& a : before) {
    for (const Side& b : after) {
      if (a.name == b.name) pairs.emplace_back(&a, &b);
    }
  }
  return pairs;
}

Status RunCompare(const CompareOptions& options) {
  const Result<std::vector<Side>> before = ReadSides(options.before);
  if (!before.ok()) return before.error();
  const Result<std::vector<Side>> after = ReadSides(options.after);
  if (!after.ok()) return after.error();
  const auto pairs = Matching(*before, *after);
  if (pairs.empty()) {
    return Error{ErrorCode::kInvalidArgument, "the two have no method in common; name one each: FOLDER:METHOD"};
  }
  std::string text;
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const auto& [a, b] : pairs) {
    const Result<std::vector<Difference>> differences = Compare(a->records, b->records);
    if (!differences.ok()) return differences.error();
    text += fmt::format("{}A: {}, {}\nB: {}, {}\n{}", text.empty() ? "" : "\n", options.before, a->name, options.after,
                        b->name, ComparisonTable(*differences));
    nlohmann::ordered_json one = ComparisonJson(*differences);
    one["before"] = a->name;
    one["after"] = b->name;
    json.push_back(std::move(one));
  }
  return Print(options.json ? json.dump() + "\n" : text);
}

}  // namespace

void AddCompareCommand(CLI::App& eval) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* command =
      eval.add_subcommand("compare", "Two runs over the same samples, with intervals of the difference");
  command->add_option("before", options->before, "A: the folder of a run, or FOLDER:METHOD")
      ->required()
      ->type_name("A");
  command->add_option("after", options->after, "B: the same")->required()->type_name("B");
  command->add_flag("--json", options->json, "Print JSON instead of tables")->group("Output");
  command->callback([options] {
    if (const Status status = RunCompare(*options); !status.ok()) Fail(status.error());
  });
}

}  // namespace ltri
