#include "eval/tasks/infinite_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "eval/score/text_units.h"
#include "eval/tasks/middle_cut.h"

namespace ltri {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kPassKey =
    "There is an important info hidden inside a lot of irrelevant text. Find it and memorize them. I will quiz you "
    "about "
    "the important information there.\n\n{context}\n\n{input}";
constexpr const char* kNumber =
    "There is an important info hidden inside a lot of irrelevant text. Find it. I will quiz you about the important "
    "information there.\n\n{context}\n\n{input}";
constexpr const char* kKeyValue =
    "Extract the value corresponding to the specified key in the JSON object below.\n\n{context}\n\n{input}";
constexpr const char* kFind = "What is the {kind} number in the following list?\n\n{context}\n\n{input}";
constexpr const char* kChoice =
    "Read the book and answer the question.\n\n{context}\n\nQuestion: {input}\n\nOnly one of the following options is "
    "correct, tell me the answer using one single letter (A, B, C, or D). Don't say anything else.\n"
    "A. {A}\nB. {B}\nC. {C}\nD. {D}";
constexpr const char* kDialogue =
    "Below is a dialogue script where one random occurrence of a character name is replaced with \"$$MASK$$\", and you "
    "should try to guess who that character is.\n\nThe dialogue:\n\n---\n\n{context}\n\n---\n\nWhich character is most "
    "likely \"$$MASK$$\"? Just say the name used by the scriptwriter (before the colon marks) of one single character "
    "and "
    "nothing else.";
constexpr const char* kDebug =
    "There is ONLY ONE function in the large project that is deliberately made to include an obvious error. Please "
    "find "
    "the function that contains the most obvious errors. I will give you four options to narrow your scope. You can "
    "inspect through the options and think. Eventually, tell me the answer using one single letter (A, B, C, or "
    "D).\n\n{context}\n\nWhich function has deliberate error?\nA. {A}\nB. {B}\nC. {C}\nD. {D}\n\nYou should first find "
    "the "
    "functions in the options. Repeat their content, inspect through code, and at last give me your answer for the "
    "function that has the deliberate and obvious error in A, B, C, or D.";

const std::vector<InfinitePrompt> kPrompts = {
    {"passkey", "passkey", kPassKey, kPassKey, "\n\nThe pass key is", "first_integer", 6},
    {"number_string", "number_string", kNumber, kNumber, "\n\nThe sequence of digits is", "first_integer", 12},
    {"kv_retrieval", "kv_retrieval", kKeyValue, kKeyValue, "", "key_value", 50},
    {"longbook_sum_eng", "longbook_sum_eng", "Summarize the following book.\n\n{context}",
     "Summarize the book below.\n\n{context}", "\n\nSummary:", "rouge_lsum", 1200},
    {"longbook_qa_eng", "longbook_qa_eng",
     "Read the book below and answer a question.\n\n{context}\n\nQuestion: {input}\n\nBe very concise.",
     "Read the book and answer the question. Be very concise in your answer.\n\n{context}\n\nQuestion: {input}",
     "\nAnswer:", "word_f1", 40},
    {"longbook_choice_eng", "longbook_choice_eng", kChoice, kChoice, "\n\nThe letter of the correct answer is",
     "book_choice", 40},
    {"longdialogue_qa_eng", "longdialogue_qa_eng", kDialogue, kDialogue,
     "\n\nThe name of the scriptwriter's character is", "dialogue", 40},
    {"longbook_qa_chn", "longbook_qa_chn",
     "请根据以下书籍回答我的问题。\n\n{context}\n\n问题：{input}\n请尽量简短地回答。",
     "阅读以下书籍然后回答问题。\n\n{context}\n\n问题：{input}", "\n答案：", "character_f1", 40},
    {"code_debug", "code_debug", kDebug, kDebug, "\n\nThe correct option is:", "code_debug", 5},
    {"code_run", "code_run",
     "Following is a set of Python functions. There is a function called named {func}.\n\n{context}\n\nPlease give me "
     "the "
     "exact number of the return value of {call}. Be concise. Your response must end with the final returned value.",
     "Following is a set of Python functions. There is a function called named {func}.\n\n{context}\n\nPlease compute "
     "the "
     "exact value of {call}.",
     " The value of {call} is", "code_run", 5},
    {"math_calc", "math_calc",
     "Compute the intermediate values in the following long expression.\n\nExpression: 1 + 3 + 4\nValues: [1, 4, 8]\n\n"
     "Expression: 8 - 3 + 2 - 4\nValues: [8, 5, 7, 3]\n\nExpression: {context}",
     "Compute the intermediate values in the following long expression.\n\nExpression: 1 + 3 + 4\nValues: [1, 4, 8]\n\n"
     "Expression: 8 - 3 + 2 - 4\nValues: [8, 5, 7, 3]\n\nExpression: {context}",
     "\nValues: [{first},", "math_calc", 30000},
    {"math_find", "math_find", kFind, kFind, "", "math_find", 3},
};

std::string TextOf(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

// The letter of the answer's place among the options; an answer that has it already is taken as it is.
References ChoiceOf(const Json& answer, const std::vector<std::string>& options) {
  if (answer.is_array() && answer.size() == 2 && answer[1].is_string() &&
      Contains("ABCD", answer[1].get<std::string>())) {
    return {TextOf(answer[0]), TextOf(answer[1])};
  }
  const std::string text = TextOf(answer.is_array() && !answer.empty() ? answer[0] : answer);
  const auto place = std::find(options.begin(), options.end(), text);
  return {text, std::string(1, static_cast<char>('A' + (place - options.begin()) % 26))};
}

References GoldsOf(const Json& answer) {
  if (!answer.is_array()) return {TextOf(answer)};
  References golds;
  golds.reserve(answer.size());
  for (const Json& value : answer) golds.push_back(TextOf(value));
  return golds;
}

// What the prompts name besides context and input, taken from the row's own words.
std::vector<std::pair<std::string, std::string>> FieldsOf(const Json& row, const std::vector<std::string>& options) {
  std::vector<std::pair<std::string, std::string>> fields;
  for (size_t i = 0; i < options.size() && i < 4; ++i) {
    fields.emplace_back(fmt::format("{{{}}}", static_cast<char>('A' + i)), options[i]);
  }
  const std::string input = row.value("input", "");
  const size_t call = input.find("func_");
  if (call != std::string::npos) {
    const size_t open = input.find('(', call);
    fields.emplace_back("{func}", input.substr(call, open - call));
    fields.emplace_back("{call}", input.substr(call, input.find(')', call) + 1 - call));
  }
  const size_t kind = input.find("The ");
  const size_t number = input.find(" number of the list");
  if (kind != std::string::npos && number != std::string::npos) {
    fields.emplace_back("{kind}", input.substr(kind + 4, number - kind - 4));
  }
  fields.emplace_back("{first}", row.value("context", "").substr(0, row.value("context", "").find(' ')));
  return fields;
}

Result<Plan> PlanFile(const ContextPtr& context, const SuiteSettings& settings, const InfinitePrompt& prompt,
                      const std::string& path, int64_t length) {
  Result<std::vector<Sample>> samples = ReadInfinite(context, prompt, path, length);
  if (!samples.ok()) return samples.error();
  Plan plan;
  for (Sample& sample : *samples) {
    if (sample.index >= settings.samples) break;
    plan.samples.push_back({sample.task, sample.length, SampleId(sample), [sample] { return sample; }});
  }
  return plan;
}

}  // namespace

const std::vector<InfinitePrompt>& InfinitePrompts() { return kPrompts; }

const InfinitePrompt& InfinitePromptOf(const std::string& name) {
  return *std::find_if(kPrompts.begin(), kPrompts.end(), [&](const InfinitePrompt& p) { return name == p.name; });
}

Result<std::vector<Sample>> ReadInfinite(const ContextPtr& context, const InfinitePrompt& prompt,
                                         const std::string& path, int64_t length) {
  const auto rows = DataFolder::ReadJsonl(path);
  if (!rows.ok()) return rows.error();
  const Result<std::string> label = context->data->OfficialLabel(path);
  if (!label.ok()) return label.error();
  std::vector<Sample> samples;
  for (const Json& row : *rows) {
    if (!row.is_object() || !row.contains("answer")) {
      return Error{ErrorCode::kCorrupt, fmt::format("{}, line {}: no object with 'answer'", path, samples.size() + 1)};
    }
    std::vector<std::string> options;
    for (const Json& option : row.value("options", Json::array())) options.push_back(TextOf(option));
    const bool choice = prompt.scorer == std::string("book_choice") || prompt.scorer == std::string("code_debug");
    std::string text = context->chat ? prompt.chat : prompt.plain;
    Sample sample;
    if (!context->chat) sample.answer_prefix = prompt.prefix;
    for (const auto& [field, value] : FieldsOf(row, options)) {
      text = ReplaceAll(std::move(text), field, value);
      sample.answer_prefix = ReplaceAll(std::move(sample.answer_prefix), field, value);
    }
    text = ReplaceAll(std::move(text), "{input}", row.value("input", ""));
    sample.task = std::string("infinitebench/") + prompt.name;
    sample.source = *label;
    sample.length = length;
    sample.index = static_cast<int64_t>(samples.size());
    sample.references = choice ? ChoiceOf(row["answer"], options) : GoldsOf(row["answer"]);
    sample.scorer = prompt.scorer;
    sample.max_tokens = prompt.max_tokens;
    const std::string body = row.contains("context") ? row.value("context", "") : row.value("content", "");
    if (Status status = FillWithContext(*context, text, body, &sample); !status.ok()) return status.error();
    samples.push_back(std::move(sample));
  }
  return samples;
}

Result<Plan> PlanInfiniteBench(const ContextPtr& context, const SuiteSettings& settings) {
  std::vector<std::string> names;
  names.reserve(kPrompts.size());
  for (const InfinitePrompt& prompt : kPrompts) names.emplace_back(prompt.name);
  if (Status status = CheckTasks(settings, names); !status.ok()) return status.error();
  std::vector<InfiniteTask> generated = InfiniteGenerated(context);
  Plan plan;
  for (const InfinitePrompt& prompt : kPrompts) {
    if (!IsWanted(settings, prompt.name)) continue;
    const auto path = context->data->Find({fmt::format("infinitebench/{}.jsonl", prompt.file)});
    const auto task =
        std::find_if(generated.begin(), generated.end(), [&](const InfiniteTask& t) { return t.name == prompt.name; });
    for (const int64_t length : settings.lengths) {
      if (path) {
        Result<Plan> file = PlanFile(context, settings, prompt, *path, length);
        if (!file.ok()) return file.error();
        plan.samples.insert(plan.samples.end(), file->samples.begin(), file->samples.end());
      } else if (task != generated.end()) {
        Sample cell;
        cell.task = std::string("infinitebench/") + prompt.name;
        cell.source = "synthetic";
        cell.length = length;
        AddSamples(plan, context->seed, cell, settings.samples, FitToLength(context, task->sized));
      }
    }
    if (!path && task == generated.end()) {
      plan.skipped.push_back({std::string("infinitebench/") + prompt.name,
                              fmt::format("infinitebench/{}.jsonl is not in the folder of --data", prompt.file)});
    }
  }
  return plan;
}

}  // namespace ltri
