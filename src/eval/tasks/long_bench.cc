// LongBench v1 and v2, from their files.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "eval/score/text_units.h"
#include "eval/tasks/middle_cut.h"
#include "eval/tasks/suites.h"

namespace ltri {
namespace {

using Json = nlohmann::ordered_json;

struct LongTask {
  const char* name;
  const char* scorer;
  int64_t max_tokens;
  bool plain = false;       // without chat template
  bool first_line = false;  // of the answer
};

const std::vector<LongTask> kTasks = {{"narrativeqa", "word_f1", 128},
                                      {"qasper", "word_f1", 128},
                                      {"multifieldqa_en", "word_f1", 64},
                                      {"multifieldqa_zh", "character_f1", 64},
                                      {"hotpotqa", "word_f1", 32},
                                      {"2wikimqa", "word_f1", 32},
                                      {"musique", "word_f1", 32},
                                      {"dureader", "character_rouge_l", 128},
                                      {"gov_report", "rouge_l", 512},
                                      {"qmsum", "rouge_l", 512},
                                      {"multi_news", "rouge_l", 512},
                                      {"vcsum", "character_rouge_l", 512},
                                      {"trec", "classification", 64, true, true},
                                      {"triviaqa", "word_f1", 32, true, true},
                                      {"samsum", "rouge_l", 128, true, true},
                                      {"lsht", "classification", 64, true, true},
                                      {"passage_count", "counted", 32},
                                      {"passage_retrieval_en", "retrieved_paragraph", 32},
                                      {"passage_retrieval_zh", "retrieved_paragraph", 32},
                                      {"lcc", "code_similarity", 64, true},
                                      {"repobench-p", "code_similarity", 64, true}};

// The prompts are ltri's own: the instruction by kind, then text and question.
std::string FormOf(const std::string& name) {
  const auto is = [&](std::initializer_list<const char*> names) {
    return std::any_of(names.begin(), names.end(), [&](const char* n) { return name == n; });
  };
  if (is({"lcc", "repobench-p"})) return "Please complete the code given below.\n{context}{input}";
  if (is({"gov_report", "multi_news"})) return "Summarize the following text.\n\n{context}\n\nSummary:";
  if (is({"qmsum"})) return "Answer the query from the meeting's transcript.\n\n{context}\n\nQuery: {input}\nAnswer:";
  if (is({"vcsum"})) return "请总结下面会议记录的内容。\n\n{context}\n\n会议总结：";
  if (is({"trec"})) return "Determine the type of the question below. Here are some examples.\n\n{context}\n{input}";
  if (is({"lsht"})) return "请判断给定新闻的类别，下面是一些例子。\n\n{context}\n{input}";
  if (is({"triviaqa", "samsum"})) return "{context}\n\n{input}";
  if (is({"passage_count"})) {
    return "Some of these paragraphs may be duplicates. How many different paragraphs are "
           "there?\n\n{context}\n\nPlease "
           "give the number only. The final answer is: ";
  }
  if (is({"passage_retrieval_en"})) {
    return "Here are 30 paragraphs and an abstract. Which paragraph is the abstract from?\n\n{context}\n\nThe "
           "abstract: "
           "{input}\n\nPlease answer in the form of \"Paragraph 1\". The answer is: ";
  }
  if (is({"passage_retrieval_zh"})) {
    return "以下是若干段落以及其中一个段落的摘要。请确定摘要出自哪一段。\n\n{context}\n\n摘要：{input}"
           "\n\n请用“段落1”的格式回答。答案是：";
  }
  if (is({"multifieldqa_zh", "dureader"})) {
    return "请根据下面的文字回答问题，只告诉我答案，不要输出任何其他字词。\n\n{context}\n\n问题：{input}\n回答：";
  }
  return "Answer the question based on the given text. Only give me the answer and do not output any other "
         "words.\n\n{context}\n\nQuestion: {input}\nAnswer:";
}

std::string BucketOf(int64_t words) { return words < 4000 ? "0-4k" : words < 8000 ? "4-8k" : "8k+"; }

Status AddFile(const TaskContext& context, const SuiteSettings& settings, const LongTask& task, const std::string& path,
               bool even, int64_t length, Plan& plan) {
  const auto rows = DataFolder::ReadJsonl(path);
  if (!rows.ok()) return rows.error();
  const Result<std::string> label = context.data->OfficialLabel(path);
  if (!label.ok()) return label.error();
  int64_t index = 0;
  for (const Json& row : *rows) {
    if (index >= settings.samples) break;
    Sample sample;
    try {
      sample.task = std::string("longbench/") + task.name;
      if (even) sample.task += "_e/" + BucketOf(row.at("length").get<int64_t>());
      sample.references = row.at("answers").get<References>();
      if (sample.references.empty()) {
        return Error{ErrorCode::kCorrupt, fmt::format("{}, line {}: 'answers' is empty", path, index + 1)};
      }
      if (task.scorer == std::string("classification")) {
        sample.references.resize(1);
        for (const Json& name : row.at("all_classes")) sample.references.push_back(name.get<std::string>());
      }
      sample.source = *label;
      sample.length = length;
      sample.index = index++;
      sample.scorer = task.scorer;
      sample.max_tokens = task.max_tokens;
      sample.plain = task.plain;
      sample.first_line = task.first_line;
      const std::string form = ReplaceAll(FormOf(task.name), "{input}", row.at("input").get<std::string>());
      const Status status = FillWithContext(context, form, row.at("context").get<std::string>(), &sample);
      if (!status.ok()) return status;
    } catch (const nlohmann::json::exception& wrong) {
      return Error{ErrorCode::kCorrupt, fmt::format("{}, line {}: {}", path, index + 1, wrong.what())};
    }
    plan.samples.push_back({sample.task, length, SampleId(sample), [sample] { return sample; }});
  }
  return {};
}

// v2: four-choice questions over one file.
Status AddSecondVersion(const TaskContext& context, const SuiteSettings& settings, const std::string& path,
                        int64_t length, Plan& plan) {
  const Result<Json> json = DataFolder::ReadJson(path);
  if (!json.ok()) return json.error();
  const Result<std::string> label = context.data->OfficialLabel(path);
  if (!label.ok()) return label.error();
  int64_t index = 0;
  try {
    for (const Json& row : *json) {
      if (index >= settings.samples) break;
      Sample sample;
      sample.task = fmt::format("longbench-v2/{}/{}", row.at("difficulty").get<std::string>(),
                                row.at("length").get<std::string>());
      sample.source = *label;
      sample.length = length;
      sample.index = index++;
      sample.references = {row.at("answer").get<std::string>()};
      sample.scorer = "choice_letter";
      sample.max_tokens = 128;
      const std::string form = fmt::format(
          "Please read the following text and answer the question below.\n\n<text>\n{{context}}\n</text>\n\nWhat is "
          "the "
          "correct answer to this question: {}\nChoices:\n(A) {}\n(B) {}\n(C) {}\n(D) {}\n\nFormat your response as "
          "follows: \"The correct answer is (insert answer here)\".",
          row.at("question").get<std::string>(), row.at("choice_A").get<std::string>(),
          row.at("choice_B").get<std::string>(), row.at("choice_C").get<std::string>(),
          row.at("choice_D").get<std::string>());
      const Status status = FillWithContext(context, form, row.at("context").get<std::string>(), &sample);
      if (!status.ok()) return status;
      plan.samples.push_back({sample.task, length, SampleId(sample), [sample] { return sample; }});
    }
  } catch (const nlohmann::json::exception& wrong) {
    return Error{ErrorCode::kCorrupt, fmt::format("{}, item {}: {}", path, index + 1, wrong.what())};
  }
  return {};
}

}  // namespace

Result<Plan> PlanLongBench(const ContextPtr& context, const SuiteSettings& settings) {
  std::vector<std::string> names = {"v2"};
  names.reserve(kTasks.size() + 1);
  for (const LongTask& task : kTasks) names.emplace_back(task.name);
  if (Status status = CheckTasks(settings, names); !status.ok()) return status.error();
  Plan plan;
  for (const LongTask& task : kTasks) {
    if (!IsWanted(settings, task.name)) continue;
    bool found = false;
    for (const bool even : {false, true}) {
      const auto path = context->data->Find({fmt::format("longbench/{}{}.jsonl", task.name, even ? "_e" : "")});
      found = found || path.has_value();
      for (size_t i = 0; path && i < settings.lengths.size(); ++i) {
        const Status status = AddFile(*context, settings, task, *path, even, settings.lengths[i], plan);
        if (!status.ok()) return status.error();
      }
    }
    if (!found) {
      plan.skipped.push_back({std::string("longbench/") + task.name,
                              fmt::format("longbench/{}.jsonl is not in the folder of --data", task.name)});
    }
  }
  if (!IsWanted(settings, "v2")) return plan;
  const auto path = context->data->Find({"longbench-v2/data.json"});
  if (!path) plan.skipped.push_back({"longbench-v2", "longbench-v2/data.json is not in the folder of --data"});
  for (size_t i = 0; path && i < settings.lengths.size(); ++i) {
    const Status status = AddSecondVersion(*context, settings, *path, settings.lengths[i], plan);
    if (!status.ok()) return status.error();
  }
  return plan;
}

}  // namespace ltri
