// RULER's aggregation tasks: the most common words of a list (cwe), the most frequent of coded words (fwe).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "eval/score/text_units.h"
#include "eval/tasks/draw.h"
#include "eval/tasks/ruler.h"

namespace ltri {
namespace {

constexpr int64_t kCommonWords = 10;
constexpr int64_t kShortText = 4096;  // below, words are repeated less often

struct Repeats {
  int64_t common;
  int64_t rare;
};

struct WordList {
  std::vector<std::string> common;
  std::string text;  // "1. w 2. w ..."
};

// `count` distinct words, the first ten of them often.
WordList DrawList(const std::vector<std::string>& words, int64_t count, Repeats repeats, Random& random) {
  std::vector<std::string> list;
  WordList drawn;
  int64_t rank = 0;
  for (const int64_t i : DrawDistinct(random, static_cast<int64_t>(words.size()), count)) {
    const std::string& word = words[static_cast<size_t>(i)];
    const bool common = rank++ < kCommonWords;
    if (common) drawn.common.push_back(word);
    list.insert(list.end(), static_cast<size_t>(common ? repeats.common : repeats.rare), word);
  }
  Shuffle(random, list);
  for (size_t i = 0; i < list.size(); ++i) drawn.text += fmt::format("{}{}. {}", i == 0 ? "" : " ", i + 1, list[i]);
  return drawn;
}

std::string AskCommon(const std::string& list) {
  return fmt::format(
      "Below is a numbered list of words. In these words, some appear more often than others. Memorize the ones that "
      "appear most often.\n{}\nQuestion: What are the 10 most common words in the above list?",
      list);
}

constexpr const char* kCommonPrefix = " Answer: The top 10 words that appear most often in the list are:";

Status BuildCommon(const std::vector<std::string>& words, int64_t count, Random& random, Sample* sample) {
  const bool is_short = sample->length < kShortText;
  const WordList shown = DrawList(words, is_short ? 20 : 40, is_short ? Repeats{3, 1} : Repeats{10, 3}, random);
  sample->prompt = AskCommon(shown.text) + kCommonPrefix;
  for (size_t i = 0; i < shown.common.size(); ++i) sample->prompt += fmt::format(" {}. {}", i + 1, shown.common[i]);
  const WordList real = DrawList(words, count, is_short ? Repeats{6, 1} : Repeats{30, 3}, random);
  sample->prompt += "\n" + AskCommon(real.text);
  sample->answer_prefix = kCommonPrefix;
  sample->references = real.common;
  sample->scorer = "string_match_all";
  sample->max_tokens = 120;
  return {};
}

// Riemann's zeta at 2: what Zipf's counts with exponent 2 add up to.
constexpr double kZeta2 = 1.6449340668482264;

Status BuildFrequent(int64_t total, Random& random, Sample* sample) {
  std::set<std::string> distinct;
  const int64_t vocabulary = std::max<int64_t>(4, (sample->length - 50) / 50);
  while (static_cast<int64_t>(distinct.size()) < vocabulary) distinct.insert(DrawLetters(random, 6, 'a'));
  std::vector<std::string> words(distinct.begin(), distinct.end());
  Shuffle(random, words);
  words[0] = "...";
  std::vector<std::string> text;
  for (size_t k = 0; k < words.size(); ++k) {
    const double rank = static_cast<double>(k) + 1;
    const auto count = static_cast<size_t>(static_cast<double>(total) / (rank * rank) / kZeta2);
    text.insert(text.end(), count, words[k]);
  }
  Shuffle(random, text);
  sample->prompt = fmt::format(
      "Read the following coded text and track the frequency of each coded word. Find the three most frequently "
      "appeared "
      "coded words. {}\nQuestion: Do not provide any explanation. Please ignore the dots '....'. What are the three "
      "most "
      "frequently appeared words in the above coded text?",
      Join(text, " "));
  sample->answer_prefix = " Answer: According to the coded text above, the three most frequently appeared words are:";
  sample->references = {words[1], words[2], words[3]};
  sample->scorer = "string_match_all";
  sample->max_tokens = 50;
  return {};
}

}  // namespace

Result<RulerFamily> RulerFrequencies(const ContextPtr& context) {
  RulerFamily family;
  const Result<SourceWords> words = context->data->Words({"nounlist.txt", "adjectivelist.txt", "verblist.txt"});
  if (words.ok()) {
    RulerTask common{"cwe", words->source, {}};
    common.sized.least = kCommonWords * 2;
    common.sized.most = static_cast<int64_t>(words->words.size());
    common.sized.build = [list = words->words](int64_t size, Random& random, Sample* sample) {
      return BuildCommon(list, size, random, sample);
    };
    family.tasks.push_back(std::move(common));
  } else if (words.error().code == ErrorCode::kNotFound) {
    family.skipped.push_back({"cwe", words.error().message});
  } else {
    return words.error();
  }
  RulerTask frequent{"fwe", "synthetic", {}};
  frequent.sized.least = 60;
  frequent.sized.build = BuildFrequent;
  family.tasks.push_back(std::move(frequent));
  return family;
}

}  // namespace ltri
