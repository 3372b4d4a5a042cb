// NeedleBench, second version: single and multi-needle retrieval, multi-needle reasoning in haystacks, and the
// Ancestral Trace Challenge without one; English and Chinese.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "eval/score/text_units.h"
#include "eval/tasks/draw.h"
#include "eval/tasks/kinship.h"
#include "eval/tasks/names.h"
#include "eval/tasks/needle_hay.h"
#include "eval/tasks/suites.h"

namespace ltri {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kDepthSteps = 10;  // M-RT: a needle at every tenth of the text
constexpr double kReasoningGap = 0.1;
constexpr int64_t kLongestChain = 512;
const std::vector<std::string> kTasks = {"single_retrieval", "multi_retrieval", "multi_reasoning", "ancestral_trace"};

// What one language's prompts are made of.
struct Materials {
  std::string language;
  std::vector<InventedFact> facts;
  std::vector<std::string> names;
  std::string source;        // of haystack, facts and names
  std::string names_source;  // of the names alone
  std::shared_ptr<NeedleHay> hay;
};

struct Frame {
  const char* before;  // the document
  const char* after;
};

// Around documents; what follows is the question.
Frame FrameOf(const std::string& language, bool several) {
  if (language == "zh") {
    return {
        "这是一个长文本能力的测试，你需要首先阅读下面的长文档，然后根据文档中的信息回答最后的问题。\n长文档的内容如下\n"
        "\n<文档>\n",
        several ? "\n</文档>\n\n根据文档中的信息，现在请依次回答最后的问题："
                : "\n</文档>\n\n根据文档中的信息，现在请问："};
  }
  return {
      several
          ? "This is a test of long-text capability. You need to first read the long document below, and then answer "
            "the final questions one by one based on the information in the document.\nThe content of the long "
            "document is as follows\n\n<Document>\n"
          : "This is a test of long-text capability. You need to first read the long document below, and then answer "
            "the final question based on the information in the document.\nThe content of the long document is as "
            "follows\n\n<Document>\n",
      "\n</Document>\n\nBased on the information in the document, now please answer: "};
}

std::string FormatRequest(const std::string& language, const std::string& format) {
  return language == "zh" ? fmt::format("请按照'{}'的格式回答。", format)
                          : fmt::format("Please answer in the format of '{}'", format);
}

PromptText Needle(const InventedFact& fact) {
  const size_t at = fact.text.rfind(fact.answer);
  PromptText needle("\n");
  if (at == std::string::npos) return needle.Mark(fact.text).Add("\n");
  return needle.Add(fact.text.substr(0, at)).Mark(fact.answer).Add(fact.text.substr(at + fact.answer.size()) + "\n");
}

// Hides the needles and asks; the sample's answer is described already.
Status Ask(const TaskContext& context, const Materials& materials, const std::vector<HiddenNeedle>& needles,
           const std::string& question, Random& random, Sample* sample) {
  const Frame frame = FrameOf(materials.language, needles.size() > 1 && sample->scorer == "keyword_share");
  int64_t own = sample->max_tokens + context.frame_tokens;
  for (const std::string& part : {std::string(frame.before), frame.after + question + sample->answer_prefix}) {
    const Result<int64_t> tokens = context.meter->Count(part);
    if (!tokens.ok()) return tokens.error();
    own += *tokens;
  }
  PromptText prompt(frame.before);
  Result<PromptText> document = materials.hay->Hide(needles, sample->length - own, random);
  if (!document.ok()) return document.error();
  prompt.Add(*document).Add(frame.after + question);
  std::move(prompt).MoveTo(sample);
  return {};
}

Status SingleRetrieval(const TaskContext& context, const Materials& materials, Random& random, Sample* sample) {
  const InventedFact& fact = Choose(random, materials.facts);
  sample->references = {fact.answer};
  sample->scorer = "keyword_share";
  sample->max_tokens = 50;
  if (!context.chat) sample->answer_prefix = "\n\n" + fact.format.substr(0, fact.format.find("____"));
  while (sample->answer_prefix.ends_with(' ')) sample->answer_prefix.pop_back();
  const std::string question = fact.question + FormatRequest(materials.language, fact.format);
  return Ask(context, materials, {{Needle(fact), sample->depth}}, question, random, sample);
}

Status MultiRetrieval(const TaskContext& context, const Materials& materials, Random& random, Sample* sample) {
  std::vector<HiddenNeedle> needles;
  std::vector<std::string> questions;
  std::vector<std::string> formats;
  const auto facts = DrawDistinct(random, static_cast<int64_t>(materials.facts.size()), kDepthSteps + 1);
  for (size_t i = 0; i < facts.size(); ++i) {
    const InventedFact& fact = materials.facts[static_cast<size_t>(facts[i])];
    needles.push_back({Needle(fact), static_cast<double>(i) / kDepthSteps});
    questions.push_back(fact.question.substr(0, std::min(fact.question.find('?'), fact.question.find("？"))));
    formats.push_back(fact.format);
    sample->references.push_back(fact.answer);
  }
  sample->scorer = "keyword_share";
  sample->max_tokens = 400;
  if (!context.chat) sample->answer_prefix = "\n\n";
  const std::string question = Join(questions, "、") + FormatRequest(materials.language, Join(formats, "、"));
  return Ask(context, materials, needles, question, random, sample);
}

Status MultiReasoning(const TaskContext& context, const Materials& materials, int64_t relations, Random& random,
                      Sample* sample) {
  const Kinship chain = DrawKinship(random, materials.language, materials.names, relations);
  std::vector<HiddenNeedle> needles;
  for (const std::string& sentence : chain.sentences) {
    const double place = needles.empty() ? sample->depth : HiddenNeedle::kAfterTheLast;
    needles.push_back({PromptText("\n").Mark(sentence).Add("\n"), place, kReasoningGap});
  }
  sample->references = {chain.names.front()};
  sample->scorer = "boxed";
  sample->max_tokens = 512;
  return Ask(context, materials, needles, AskEldestInDocument(materials.language, chain.names.back()), random, sample);
}

Status AncestralTrace(const Materials& materials, int64_t relations, Random& random, Sample* sample) {
  const auto question = static_cast<KinshipQuestion>(sample->index % kKinshipQuestions);
  Kinship chain = DrawKinship(random, materials.language, materials.names, relations);
  const KinshipPrompt asked = AskKinship(materials.language, question, chain);
  Shuffle(random, chain.sentences);
  PromptText prompt(asked.before);
  prompt.Mark(Join(chain.sentences, "")).Add(asked.after);
  std::move(prompt).MoveTo(sample);
  sample->references = {asked.answer};
  sample->scorer = "boxed";
  sample->max_tokens = 1024;
  return {};
}

// Official needles: lines {needle, retrieval_question, arg2, language}. The question ends with the answer's form.
Result<std::vector<InventedFact>> ReadFacts(const std::string& path, const std::string& language) {
  const auto rows = DataFolder::ReadJsonl(path);
  if (!rows.ok()) return rows.error();
  std::vector<InventedFact> facts;
  for (const Json& row : *rows) {
    if (row.value("language", "") != (language == "zh" ? "Chinese" : "English")) continue;
    const std::string asked = row.value("retrieval_question", "");
    const size_t cut = std::min(asked.find("Please answer in the format"), asked.find("请按照"));
    const size_t quote = asked.find('\'');
    const std::string format = quote == std::string::npos ? "" : asked.substr(quote + 1, asked.rfind('\'') - quote - 1);
    facts.push_back({row.value("needle", ""), Trim(asked.substr(0, cut)),
                     format.substr(0, format.rfind("________") + 8), row.value("arg2", "")});
  }
  if (facts.size() > kDepthSteps) return facts;
  return Error{ErrorCode::kCorrupt, fmt::format("{} holds {} needles in {}, too few", path, facts.size(), language)};
}

Result<Materials> Load(const ContextPtr& context, const std::string& language) {
  const DataFolder& data = *context->data;
  Materials m;
  m.language = language;
  const bool chinese = language == "zh";
  Result<LabelledText> text =
      data.Haystack({chinese ? "needlebench/zh_finance.jsonl" : "needlebench/PaulGrahamEssays.jsonl"}, language);
  if (!text.ok()) return text.error();
  m.facts = InventedFacts(language);
  m.names = PersonNames(language);
  m.names_source = "synthetic (names of ltri's own)";
  m.source = text->source + "; needles of ltri's own";
  if (const auto path = data.Find({"needlebench/needles.jsonl"}); path) {
    Result<std::vector<InventedFact>> facts = ReadFacts(*path, language);
    if (!facts.ok()) return facts.error();
    m.facts = std::move(*facts);
    m.source = text->source;
  }
  if (const auto path = data.Find({"needlebench/names.json"}); path) {
    const Result<Json> json = DataFolder::ReadJson(*path);
    if (!json.ok()) return json.error();
    m.names = SplitAt(json->value(chinese ? "Chinese" : "English", ""), ',');
    if (m.names.size() <= kLongestChain) {
      return Error{ErrorCode::kCorrupt,
                   fmt::format("{} holds {} names in {}, too few", *path, m.names.size(), language)};
    }
    const Result<std::string> label = data.OfficialLabel(*path);
    if (!label.ok()) return label.error();
    m.names_source = *label;
  }
  m.hay = std::make_shared<NeedleHay>(context->meter, std::move(text->chapters));
  return m;
}

void AddLanguage(const ContextPtr& context, const SuiteSettings& settings, const std::shared_ptr<Materials>& m,
                 Plan& plan) {
  const auto add = [&](const std::string& name, int64_t length, double depth, const std::string& source, int64_t count,
                       const SampleMaker& make) {
    Sample cell;
    cell.task = fmt::format("needlebench/{}", name);
    cell.source = source;
    cell.length = length;
    cell.depth = depth;
    AddSamples(plan, context->seed, cell, count, make);
  };
  for (const int64_t length : settings.lengths) {
    for (const double depth : settings.depths) {
      if (!IsWanted(settings, "single_retrieval")) break;
      add("single_retrieval_" + m->language, length, depth, m->source, settings.samples,
          [=](Random& random, Sample* sample) { return SingleRetrieval(*context, *m, random, sample); });
    }
    if (IsWanted(settings, "multi_retrieval")) {
      add("multi_retrieval_" + m->language, length, -1, m->source, settings.samples,
          [=](Random& random, Sample* sample) { return MultiRetrieval(*context, *m, random, sample); });
    }
    for (int64_t relations = 2; relations <= 5 && IsWanted(settings, "multi_reasoning"); ++relations) {
      for (const double depth : settings.depths) {
        add(fmt::format("multi_reasoning_{}_{}", m->language, relations), length, depth, m->source, settings.samples,
            [=](Random& random, Sample* sample) { return MultiReasoning(*context, *m, relations, random, sample); });
      }
    }
  }
  for (int64_t relations = 2; relations <= kLongestChain && IsWanted(settings, "ancestral_trace"); relations *= 2) {
    add(fmt::format("ancestral_trace_{}_{}", m->language, relations), 0, -1, m->names_source,
        settings.samples * kKinshipQuestions,
        [=](Random& random, Sample* sample) { return AncestralTrace(*m, relations, random, sample); });
  }
}

}  // namespace

Result<Plan> PlanNeedleBench(const ContextPtr& context, const SuiteSettings& settings) {
  if (Status status = CheckTasks(settings, kTasks); !status.ok()) return status.error();
  Plan plan;
  for (const std::string& language : settings.languages) {
    Result<Materials> materials = Load(context, language);
    if (materials.ok()) {
      AddLanguage(context, settings, std::make_shared<Materials>(std::move(*materials)), plan);
    } else if (materials.error().code == ErrorCode::kNotFound) {
      plan.skipped.push_back({"needlebench (" + language + ")", materials.error().message});
    } else {
      return materials.error();
    }
  }
  return plan;
}

}  // namespace ltri
