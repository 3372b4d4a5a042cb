// RULER's question answering: the paragraph with the answer among others, from SQuAD (qa_1) and HotpotQA (qa_2).
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "eval/tasks/draw.h"
#include "eval/tasks/prompt_text.h"
#include "eval/tasks/ruler.h"

namespace ltri {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kAnswerTokens = 32;

struct Document {
  std::string text;
};

struct Question {
  std::string text;
  std::vector<std::string> answers;
  std::vector<int64_t> documents;  // that hold the answer
  std::vector<int64_t> near;       // of the same article or question: the first to be added
};

struct Questions {
  std::vector<Document> documents;
  std::vector<Question> questions;
};

// Throws nlohmann's exceptions when a field is missing; the caller catches them.
Questions FromSquad(const Json& json) {
  Questions all;
  for (const Json& article : json.at("data")) {
    const auto first = static_cast<int64_t>(all.documents.size());
    const auto last = first + static_cast<int64_t>(article.at("paragraphs").size());
    for (const Json& paragraph : article.at("paragraphs")) {
      const auto own = static_cast<int64_t>(all.documents.size());
      all.documents.push_back({paragraph.at("context").get<std::string>()});
      for (const Json& qa : paragraph.at("qas")) {
        if (qa.value("is_impossible", false)) continue;
        Question question{qa.at("question").get<std::string>(), {}, {own}, {}};
        for (const Json& answer : qa.at("answers")) question.answers.push_back(answer.at("text").get<std::string>());
        for (int64_t i = first; i < last; ++i) {
          if (i != own) question.near.push_back(i);
        }
        all.questions.push_back(std::move(question));
      }
    }
  }
  return all;
}

Questions FromHotpot(const Json& json) {
  Questions all;
  std::map<std::string, int64_t> known;
  for (const Json& row : json) {
    Question question{row.at("question").get<std::string>(), {row.at("answer").get<std::string>()}, {}, {}};
    for (const Json& paragraph : row.at("context")) {
      std::string text = paragraph.at(0).get<std::string>() + "\n";
      for (const Json& sentence : paragraph.at(1)) text += sentence.get<std::string>();
      const auto [place, added] = known.emplace(text, static_cast<int64_t>(all.documents.size()));
      if (added) all.documents.push_back({text});
      const bool supports = std::any_of(row.at("supporting_facts").begin(), row.at("supporting_facts").end(),
                                        [&](const Json& fact) { return fact.at(0) == paragraph.at(0); });
      (supports ? question.documents : question.near).push_back(place->second);
    }
    all.questions.push_back(std::move(question));
  }
  return all;
}

// The gold documents, those near them, then others; repeated from the start when there are not enough.
std::vector<int64_t> ChooseDocuments(const Questions& all, const Question& question, int64_t count, Random& random) {
  std::vector<int64_t> chosen = question.documents;
  chosen.insert(chosen.end(), question.near.begin(), question.near.end());
  const auto gold = static_cast<int64_t>(question.documents.size());
  if (static_cast<int64_t>(chosen.size()) < count) {
    std::vector<uint8_t> taken(all.documents.size(), 0);
    for (const int64_t i : chosen) taken[static_cast<size_t>(i)] = 1;
    std::vector<int64_t> others;
    for (size_t i = 0; i < taken.size(); ++i) {
      if (taken[i] == 0) others.push_back(static_cast<int64_t>(i));
    }
    Shuffle(random, others);
    chosen.insert(chosen.end(), others.begin(), others.end());
    for (size_t i = static_cast<size_t>(gold); static_cast<int64_t>(chosen.size()) < count; ++i)
      chosen.push_back(chosen[i]);
  }
  chosen.resize(static_cast<size_t>(std::max(count, gold)));
  Shuffle(random, chosen);
  return chosen;
}

// The document with its first answer marked.
PromptText WithEvidence(const std::string& text, const std::vector<std::string>& answers) {
  for (const std::string& answer : answers) {
    const size_t at = text.find(answer);
    if (answer.empty() || at == std::string::npos) continue;
    PromptText marked(text.substr(0, at));
    return marked.Mark(answer).Add(text.substr(at + answer.size()));
  }
  return PromptText(text);
}

Status Build(const Questions& all, int64_t count, Random& random, Sample* sample) {
  const Question& question =
      all.questions[static_cast<size_t>(std::max<int64_t>(0, sample->index)) % all.questions.size()];
  std::vector<PromptText> documents;
  for (const int64_t i : ChooseDocuments(all, question, count, random)) {
    const std::string& text = all.documents[static_cast<size_t>(i)].text;
    const bool gold = std::find(question.documents.begin(), question.documents.end(), i) != question.documents.end();
    PromptText document(fmt::format("Document {}:\n", documents.size() + 1));
    documents.push_back(document.Add(gold ? WithEvidence(text, question.answers) : PromptText(text)));
  }
  constexpr const char* kTask =
      "Answer the question based on the given documents. Only give me the answer and do not output any other words.";
  PromptText prompt(fmt::format("{}\n\nThe following are given documents.\n\n", kTask));
  prompt.Add(Joined(documents, "\n\n")).Add(fmt::format("\n\n{}\n\nQuestion: {}", kTask, question.text));
  std::move(prompt).MoveTo(sample);
  sample->answer_prefix = " Answer:";
  sample->references = question.answers;
  sample->scorer = "string_match_part";
  sample->max_tokens = kAnswerTokens;
  return {};
}

struct SourceFile {
  const char* task;
  std::vector<std::string> official;
  std::vector<std::string> stand_ins;
  Questions (*read)(const Json&);
};

Status AddTask(const DataFolder& data, const SourceFile& file, RulerFamily& family) {
  std::string source = "stand-in: ";
  auto path = data.Find(file.official);
  if (path) {
    const Result<std::string> label = data.OfficialLabel(*path);
    if (!label.ok()) return label.error();
    source = *label;
  } else if (path = data.Find(file.stand_ins); path) {
    source += path->substr(path->rfind('/') + 1);
  } else {
    family.skipped.push_back({file.task, fmt::format("{} is not in the folder of --data", file.official.front())});
    return {};
  }
  const Result<Json> json = DataFolder::ReadJson(*path);
  if (!json.ok()) return json.error();
  auto questions = std::make_shared<Questions>();
  try {
    *questions = file.read(*json);
  } catch (const nlohmann::json::exception& wrong) {
    return Error{ErrorCode::kCorrupt, fmt::format("{}: {}", *path, wrong.what())};
  }
  if (questions->questions.empty()) return Error{ErrorCode::kCorrupt, fmt::format("{} holds no questions", *path)};
  RulerTask task{file.task, source, {}};
  task.sized.build = [questions](int64_t size, Random& random, Sample* sample) {
    return Build(*questions, size, random, sample);
  };
  family.tasks.push_back(std::move(task));
  return {};
}

}  // namespace

Result<RulerFamily> RulerQuestions(const ContextPtr& context) {
  RulerFamily family;
  const SourceFile files[] = {{"qa_1", {"ruler/squad.json"}, {"squad/dev-v2.0-half.json"}, FromSquad},
                              {"qa_2", {"ruler/hotpotqa.json"}, {}, FromHotpot}};
  for (const SourceFile& file : files) {
    if (Status status = AddTask(*context->data, file, family); !status.ok()) return status.error();
  }
  return family;
}

}  // namespace ltri
