#include "eval/tasks/ruler.h"

#include <fmt/format.h>

namespace ltri {
namespace {

const std::vector<std::string> kNames = {"niah_single_1",
                                         "niah_single_2",
                                         "niah_single_3",
                                         "niah_multikey_1",
                                         "niah_multikey_2",
                                         "niah_multikey_3",
                                         "niah_multivalue",
                                         "niah_multiquery",
                                         "vt",
                                         "cwe",
                                         "fwe",
                                         "qa_1",
                                         "qa_2"};

// Samples that RULER's own scripts prepared: ruler/LENGTH/TASK/validation.jsonl.
Result<bool> AddPrepared(const ContextPtr& context, const SuiteSettings& settings, const std::string& name,
                         int64_t length, Plan& plan) {
  const auto path = context->data->Find({fmt::format("ruler/{}/{}/validation.jsonl", length, name)});
  if (!path) return false;
  const auto rows = DataFolder::ReadJsonl(*path);
  if (!rows.ok()) return rows.error();
  const Result<std::string> label = context->data->OfficialLabel(*path);
  if (!label.ok()) return label.error();
  for (size_t i = 0; i < rows->size() && static_cast<int64_t>(i) < settings.samples; ++i) {
    Result<Sample> sample = SampleFromJson((*rows)[i]);
    if (!sample.ok()) {
      return Error{sample.error().code, fmt::format("{}, line {}: {}", *path, i + 1, sample.error().message)};
    }
    sample->task = "ruler/" + name;
    sample->source = *label;
    sample->length = length;
    sample->depth = -1;
    if (sample->scorer.empty()) sample->scorer = name.starts_with("qa") ? "string_match_part" : "string_match_all";
    if (sample->max_tokens == 0) sample->max_tokens = 128;
    plan.samples.push_back({sample->task, length, SampleId(*sample), [sample = *sample] { return sample; }});
  }
  return true;
}

}  // namespace

Result<Plan> PlanRuler(const ContextPtr& context, const SuiteSettings& settings) {
  if (Status status = CheckTasks(settings, kNames); !status.ok()) return status.error();
  RulerFamily all;
  for (const auto family : {RulerNeedles, RulerVariables, RulerFrequencies, RulerQuestions}) {
    Result<RulerFamily> some = family(context);
    if (!some.ok()) return some.error();
    all.tasks.insert(all.tasks.end(), some->tasks.begin(), some->tasks.end());
    all.skipped.insert(all.skipped.end(), some->skipped.begin(), some->skipped.end());
  }
  Plan plan;
  for (const RulerTask& task : all.tasks) {
    if (!IsWanted(settings, task.name)) continue;
    const SampleMaker make = FitToLength(context, task.sized);
    for (const int64_t length : settings.lengths) {
      const Result<bool> prepared = AddPrepared(context, settings, task.name, length, plan);
      if (!prepared.ok()) return prepared.error();
      if (*prepared) continue;
      Sample cell;
      cell.task = "ruler/" + task.name;
      cell.source = task.source;
      cell.length = length;
      AddSamples(plan, context->seed, cell, settings.samples, make);
    }
  }
  for (const SkippedTask& task : all.skipped) {
    if (IsWanted(settings, task.task)) plan.skipped.push_back({"ruler/" + task.task, task.reason});
  }
  return plan;
}

}  // namespace ltri
