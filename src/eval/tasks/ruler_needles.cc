// RULER's eight needle tasks: one or several keys, values and questions in noise, essays or other needles.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eval/score/text_units.h"
#include "eval/tasks/draw.h"
#include "eval/tasks/prompt_text.h"
#include "eval/tasks/ruler.h"
#include "eval/tasks/sentences.h"

namespace ltri {
namespace {

enum class Hay { kNoise, kEssay, kNeedles };
enum class Kind { kWords, kNumbers, kUuids };

struct NeedleTask {
  const char* name;
  Hay hay;
  Kind key;
  Kind value;
  int64_t keys;
  int64_t values;   // of each key
  int64_t queries;  // keys that are asked for
};

constexpr NeedleTask kTasks[] = {
    {"niah_single_1", Hay::kNoise, Kind::kWords, Kind::kNumbers, 1, 1, 1},
    {"niah_single_2", Hay::kEssay, Kind::kWords, Kind::kNumbers, 1, 1, 1},
    {"niah_single_3", Hay::kEssay, Kind::kWords, Kind::kUuids, 1, 1, 1},
    {"niah_multikey_1", Hay::kEssay, Kind::kWords, Kind::kNumbers, 4, 1, 1},
    {"niah_multikey_2", Hay::kNeedles, Kind::kWords, Kind::kNumbers, 1, 1, 1},
    {"niah_multikey_3", Hay::kNeedles, Kind::kUuids, Kind::kUuids, 1, 1, 1},
    {"niah_multivalue", Hay::kEssay, Kind::kWords, Kind::kNumbers, 1, 4, 1},
    {"niah_multiquery", Hay::kEssay, Kind::kWords, Kind::kNumbers, 4, 1, 4},
};

constexpr int64_t kAnswerTokens = 128;
constexpr int64_t kDepths = 40;  // places in essays
constexpr int64_t kLeastWords = 50;
constexpr int64_t kLeastLines = 5;

struct Needle {
  std::string key;
  std::string value;
  bool wanted = false;
};

// Shared by the tasks that hide needles in an essay.
struct Essay {
  std::vector<std::string> words;
};

struct Materials {
  std::vector<std::string> nouns;
  std::vector<std::string> adjectives;
  std::shared_ptr<const Essay> essay;
};

const char* NameOf(Kind kind) {
  switch (kind) {
    case Kind::kWords:
      return "words";
    case Kind::kNumbers:
      return "numbers";
    default:
      return "uuids";
  }
}

class Builder {
 public:
  Builder(const NeedleTask& task, Materials materials) : task_(task), materials_(std::move(materials)) {}

  Status Build(int64_t size, Random& random, Sample* sample) const {
    std::vector<Needle> needles = DrawNeedles(random);
    std::vector<std::string> asked;
    for (const Needle& needle : needles) {
      if (!needle.wanted) continue;
      sample->references.push_back(needle.value);
      if (std::find(asked.begin(), asked.end(), needle.key) == asked.end()) asked.push_back(needle.key);
    }
    Shuffle(random, needles);
    const PromptText context =
        task_.hay == Hay::kEssay ? InEssay(size, random, needles) : InLines(size, random, needles);
    Frame(context, asked, sample);
    sample->scorer = "string_match_all";
    sample->max_tokens = kAnswerTokens;
    return {};
  }

 private:
  std::string Draw(Random& random, Kind kind) const {
    switch (kind) {
      case Kind::kWords:
        return Choose(random, materials_.adjectives) + "-" + Choose(random, materials_.nouns);
      case Kind::kNumbers:
        return std::to_string(Between(random, 1000000, 9999999));
      default:
        return DrawUuid(random);
    }
  }

  std::vector<Needle> DrawNeedles(Random& random) const {
    std::vector<std::string> keys;
    while (static_cast<int64_t>(keys.size()) < task_.keys) {
      const std::string key = Draw(random, task_.key);
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
    }
    std::vector<Needle> needles;
    for (int64_t k = 0; k < task_.keys; ++k) {
      for (int64_t v = 0; v < task_.values; ++v) {
        needles.push_back({keys[static_cast<size_t>(k)], Draw(random, task_.value), k < task_.queries});
      }
    }
    return needles;
  }

  void AddNeedle(PromptText& text, const Needle& needle) const {
    text.Add(fmt::format("One of the special magic {} for {} is: ", NameOf(task_.value), needle.key));
    needle.wanted ? text.Mark(needle.value) : text.Add(needle.value);
    text.Add(".");
  }

  // `size` lines of noise, or of other needles, with the needles between them.
  PromptText InLines(int64_t size, Random& random, const std::vector<Needle>& needles) const {
    std::vector<PromptText> lines;
    for (int64_t i = 0; i < size; ++i) {
      PromptText line;
      if (task_.hay == Hay::kNoise) {
        line.Add(kNoiseLine);
      } else {
        AddNeedle(line, {Draw(random, task_.key), Draw(random, task_.value), false});
      }
      lines.push_back(std::move(line));
    }
    std::vector<int64_t> places = DrawDistinct(random, size, static_cast<int64_t>(needles.size()));
    std::sort(places.rbegin(), places.rend());
    for (size_t i = 0; i < needles.size(); ++i) {
      PromptText line;
      AddNeedle(line, needles[i]);
      lines.insert(lines.begin() + places[i], std::move(line));
    }
    return Joined(lines, "\n");
  }

  // The first `size` words of the essays, repeated when there are fewer, with the needles between sentences.
  PromptText InEssay(int64_t size, Random& random, const std::vector<Needle>& needles) const {
    const std::vector<std::string>& words = materials_.essay->words;
    std::string essay;
    for (int64_t i = 0; i < size; ++i) {
      if (i > 0) essay += ' ';
      essay += words[static_cast<size_t>(i) % words.size()];
    }
    const std::vector<std::string_view> sentences = SplitSentences(essay);
    std::vector<int64_t> depths = DrawDistinct(random, kDepths, static_cast<int64_t>(needles.size()));
    std::sort(depths.begin(), depths.end());
    std::vector<PromptText> parts;
    size_t next = 0;
    for (size_t i = 0; i < depths.size(); ++i) {
      const auto percent = std::nearbyint(static_cast<double>(depths[i]) * 100 / (kDepths - 1));
      const auto place = static_cast<size_t>(static_cast<double>(sentences.size()) * percent / 100);
      for (; next < place; ++next) parts.emplace_back(sentences[next]);
      parts.emplace_back();
      AddNeedle(parts.back(), needles[i]);
    }
    for (; next < sentences.size(); ++next) parts.emplace_back(sentences[next]);
    return Joined(parts, " ");
  }

  // "a, b, c, and d"
  static std::string Listed(const std::vector<std::string>& keys) {
    if (keys.size() == 1) return keys.front();
    return Join({keys.begin(), keys.end() - 1}, ", ") + ", and " + keys.back();
  }

  void Frame(const PromptText& context, const std::vector<std::string>& asked, Sample* sample) const {
    const bool one = task_.queries * task_.values == 1;
    const std::string query = Listed(asked);
    std::string kind = NameOf(task_.value);
    if (one) kind.pop_back();
    PromptText prompt;
    prompt.Add(
        fmt::format("{} special magic {} {} hidden within the following text. Make sure to memorize it. I will "
                    "quiz you about the {} afterwards.\n",
                    one ? "A" : "Some", kind, one ? "is" : "are", kind));
    prompt.Add(context);
    prompt.Add(fmt::format("\nWhat {} special magic {} for {} mentioned in the provided text?",
                           one ? "is the" : "are all the", kind, query));
    std::move(prompt).MoveTo(sample);
    sample->answer_prefix =
        fmt::format(" The special magic {} for {} mentioned in the provided text {}", kind, query, one ? "is" : "are");
  }

  NeedleTask task_;
  Materials materials_;
};

bool WantsWords(const NeedleTask& task) { return task.key == Kind::kWords || task.value == Kind::kWords; }

}  // namespace

Result<RulerFamily> RulerNeedles(const ContextPtr& context) {
  const Result<LabelledText> essay = context->data->Haystack({"ruler/PaulGrahamEssays.json"}, "en");
  const Result<SourceWords> nouns = context->data->Words({"nounlist.txt"});
  const Result<SourceWords> adjectives = context->data->Words({"adjectivelist.txt"});
  RulerFamily family;
  Materials materials;
  if (nouns.ok()) materials.nouns = nouns->words;
  if (adjectives.ok()) materials.adjectives = adjectives->words;
  if (essay.ok()) materials.essay = std::make_shared<Essay>(Essay{Words(essay->Whole())});
  for (const NeedleTask& task : kTasks) {
    const Error* missing = nullptr;
    if (WantsWords(task) && !nouns.ok()) missing = &nouns.error();
    if (task.hay == Hay::kEssay && !essay.ok()) missing = &essay.error();
    if (missing != nullptr && missing->code != ErrorCode::kNotFound) return *missing;
    if (missing != nullptr) {
      family.skipped.push_back({task.name, missing->message});
      continue;
    }
    RulerTask made{task.name,
                   task.hay == Hay::kEssay ? essay->source
                   : WantsWords(task)      ? nouns->source
                                           : "synthetic",
                   {}};
    made.sized.least = task.hay == Hay::kEssay ? kLeastWords : kLeastLines;
    const Builder builder(task, materials);
    made.sized.build = [builder](int64_t size, Random& random, Sample* sample) {
      return builder.Build(size, random, sample);
    };
    family.tasks.push_back(std::move(made));
  }
  return family;
}

}  // namespace ltri
