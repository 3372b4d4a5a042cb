// NIAH: one needle at a depth of a haystack of a length; judged without a judge (number match, ROUGE-1).
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "eval/tasks/draw.h"
#include "eval/tasks/names.h"
#include "eval/tasks/prompt_text.h"
#include "eval/tasks/questions.h"
#include "eval/tasks/sentences.h"
#include "eval/tasks/suites.h"

namespace ltri {
namespace {

constexpr const char* kQuestion = "question";  // a task whose wordings are in questions.jsonl

// One wording. {city} and {number} are drawn for each sample.
struct Wording {
  std::string task;
  std::string before;    // the context
  std::string needle;    // with the answer in it
  std::string question;  // behind the context
  std::string prefix;    // of the answer, when the prompt is continued as text
  std::string answer;
  std::string scorer;
  int64_t max_tokens = 32;
};

const std::vector<Wording> kWordings = {
    {"number",
     "Write a high-quality answer for the given question using only the provided search results (some of which might "
     "be "
     "irrelevant).\n",
     "\nThe special magic {city} number is: {number}\n",
     "\n\nQuestion: What is the special magic {city} number? Don't give information outside the document or repeat "
     "your "
     "findings",
     "\nAnswer: The special magic {city} number is:", "{number}", "number_token", 16},
    {"sandwich", "This is a very long story book: <book> ",
     "\nThe best thing to do in San Francisco is eat a sandwich and sit in Dolores Park on a sunny day.\n",
     " </book>.\n Based on the content of the book, Question: What is the best thing to do in San Francisco?\nAnswer:",
     "", "The best thing to do in San Francisco is eat a sandwich and sit in Dolores Park on a sunny day.",
     "stemmed_rouge1", 50},
};

std::string FillIn(std::string text, const std::string& city, const std::string& number) {
  const std::pair<const char*, const std::string*> fields[] = {{"{city}", &city}, {"{number}", &number}};
  for (const auto& [field, value] : fields) {
    for (size_t at = 0; (at = text.find(field, at)) != std::string::npos; at += value->size()) {
      text.replace(at, std::string_view(field).size(), *value);
    }
  }
  return text;
}

Wording FillIn(Wording wording, Random& random) {
  const std::string city = Choose(random, CityNames());
  const std::string number = std::to_string(Between(random, 1000000, 9999999));
  for (std::string* text : {&wording.needle, &wording.question, &wording.prefix, &wording.answer}) {
    *text = FillIn(std::move(*text), city, number);
  }
  return wording;
}

// The last place at or before `at` where a sentence has ended; 0 when there is none.
size_t SentenceEndBefore(std::string_view text, size_t at) {
  size_t place = 0;
  for (const std::string_view end : {". ", "? ", "! ", ".\n", "。", "．", "！", "？"}) {
    const size_t found = at >= end.size() ? text.rfind(end, at - end.size()) : std::string_view::npos;
    if (found != std::string_view::npos) place = std::max(place, found + end.size());
  }
  return place;
}

void AddNeedle(PromptText& text, const Wording& wording) {
  const size_t at = wording.needle.find(wording.answer);
  if (at == std::string::npos) {
    text.Mark(wording.needle);
    return;
  }
  text.Add(wording.needle.substr(0, at)).Mark(wording.answer);
  text.Add(wording.needle.substr(at + wording.answer.size()));
}

class NeedleMaker {
 public:
  // wordings: of one task; each sample draws one.
  NeedleMaker(ContextPtr context, std::shared_ptr<const TokenizedText> hay, std::vector<Wording> wordings)
      : context_(std::move(context)), hay_(std::move(hay)), wordings_(std::move(wordings)) {}

  Status operator()(Random& random, Sample* sample) const {
    const Wording wording = FillIn(wordings_.size() == 1 ? wordings_.front() : Choose(random, wordings_), random);
    if (!context_->chat) sample->answer_prefix = wording.prefix;
    const Result<int64_t> own =
        context_->meter->Count(wording.before + wording.needle + wording.question + sample->answer_prefix);
    if (!own.ok()) return own.error();
    const int64_t room = sample->length - *own - wording.max_tokens - context_->frame_tokens;
    if (room < 1 || room > hay_->size()) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("a needle prompt of {} tokens has room for {} tokens of text; the text has {}",
                               sample->length, room, hay_->size())};
    }
    const int64_t offset = random.Below(hay_->size() - room + 1);
    const std::string_view text = hay_->Part(offset, offset + room);
    const auto before = static_cast<int64_t>(sample->depth * static_cast<double>(room));
    const size_t aim = hay_->Part(offset, offset + before).size();
    const size_t place = aim >= text.size() ? text.size() : SentenceEndBefore(text, aim);
    PromptText prompt(wording.before);
    prompt.Add(text.substr(0, place));
    AddNeedle(prompt, wording);
    prompt.Add(text.substr(place)).Add(wording.question);
    std::move(prompt).MoveTo(sample);
    sample->references = {wording.answer};
    sample->scorer = wording.scorer;
    sample->max_tokens = wording.max_tokens;
    return {};
  }

 private:
  ContextPtr context_;
  std::shared_ptr<const TokenizedText> hay_;
  std::vector<Wording> wordings_;
};

// Sentences like those around them, and questions as people ask them.
std::vector<Wording> Questions() {
  std::vector<Wording> wordings;
  std::istringstream lines{std::string(QuestionsJsonl())};
  for (std::string line; std::getline(lines, line);) {
    const auto row = nlohmann::json::parse(line);
    Wording wording;
    wording.task = kQuestion;
    wording.needle = row["needle"].get<std::string>() + " ";
    wording.question = "\n\n" + row["question"].get<std::string>();
    wording.prefix = "\nAnswer:";
    wording.answer = row["answer"];
    wording.scorer = "string_match_all";
    wordings.push_back(std::move(wording));
  }
  return wordings;
}

// Needles of a person's own, a task each: lines {"needle", "question", "answer", "prefix", "scorer"}; the last two may
// be missing.
Result<std::vector<std::vector<Wording>>> ReadNeedles(const std::string& path) {
  const auto rows = DataFolder::ReadJsonl(path);
  if (!rows.ok()) return rows.error();
  std::vector<std::vector<Wording>> wordings;
  for (const auto& row : *rows) {
    Wording wording = kWordings.front();
    wording.task = "own";
    try {
      wording.needle = "\n" + row.at("needle").get<std::string>() + "\n";
      wording.question = "\n\nQuestion: " + row.at("question").get<std::string>();
      wording.answer = row.at("answer").get<std::string>();
      wording.prefix = row.value("prefix", "\nAnswer:");
      wording.scorer = row.value("scorer", "keyword_share");
    } catch (const nlohmann::json::exception& wrong) {
      return Error{ErrorCode::kCorrupt, fmt::format("{}, line {}: {}", path, wordings.size() + 1, wrong.what())};
    }
    wording.max_tokens = 50;
    if (rows->size() > 1) wording.task += fmt::format("_{}", wordings.size() + 1);
    wordings.push_back({std::move(wording)});
  }
  if (wordings.empty()) return Error{ErrorCode::kCorrupt, fmt::format("{} holds no needles", path)};
  return wordings;
}

// The haystack, repeated until it is long enough for the longest prompt.
Result<TokenizedText> LoadHay(const TaskContext& context, const LabelledText& source, const SuiteSettings& settings) {
  const std::string once = SingleSpaces(source.Whole()) + " ";
  const int64_t most = *std::max_element(settings.lengths.begin(), settings.lengths.end());
  Result<TokenizedText> hay = TokenizedText::Create(*context.meter, once);
  if (!hay.ok() || hay->size() > most) return hay;
  std::string text;
  for (int64_t size = 0; size <= most; size += std::max<int64_t>(hay->size(), 1)) text += once;
  return TokenizedText::Create(*context.meter, std::move(text));
}

}  // namespace

Result<Plan> PlanNiah(const ContextPtr& context, const SuiteSettings& settings) {
  std::vector<std::vector<Wording>> tasks;  // each: its wordings
  if (!settings.needles.empty()) {
    Result<std::vector<std::vector<Wording>>> own = ReadNeedles(settings.needles);
    if (!own.ok()) return own.error();
    tasks = std::move(*own);
  } else {
    if (Status status = CheckTasks(settings, {"number", "sandwich", kQuestion}); !status.ok()) return status.error();
    for (const Wording& wording : kWordings) {
      const bool wanted = settings.tasks.empty() ? tasks.empty() : IsWanted(settings, wording.task);
      if (wanted) tasks.push_back({wording});
    }
    if (!settings.tasks.empty() && IsWanted(settings, kQuestion)) tasks.push_back(Questions());
  }
  const Result<LabelledText> source = context->data->Haystack({"niah/PaulGrahamEssays", "niah/pg19_mini.jsonl"}, "en");
  if (!source.ok()) return source.error();
  Result<TokenizedText> text = LoadHay(*context, *source, settings);
  if (!text.ok()) return text.error();
  const auto hay = std::make_shared<const TokenizedText>(std::move(*text));
  Plan plan;
  for (const std::vector<Wording>& wordings : tasks) {
    for (const int64_t length : settings.lengths) {
      for (const double depth : settings.depths) {
        Sample cell;
        cell.task = "niah/" + wordings.front().task;
        cell.source = source->source;
        cell.length = length;
        cell.depth = depth;
        AddSamples(plan, context->seed, cell, settings.samples, NeedleMaker(context, hay, wordings));
      }
    }
  }
  return plan;
}

}  // namespace ltri
