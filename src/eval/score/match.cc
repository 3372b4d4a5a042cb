// Scorers that look for the gold in the prediction: RULER, NeedleBench, NIAH.
#include <algorithm>

#include "eval/score/overlap.h"
#include "eval/score/scorers.h"
#include "eval/score/text_units.h"

namespace ltri {
namespace {

constexpr double kDistancePart = 0.2;  // what a v1 answer without the keyword can reach

template <typename Found>
double Share(const References& golds, const Found& found) {
  if (golds.empty()) return 0;
  const auto count = std::count_if(golds.begin(), golds.end(), found);
  return static_cast<double>(count) / static_cast<double>(golds.size());
}

// RULER's post-processing: control characters become line ends.
std::string WithoutControls(const std::string& prediction) {
  std::string text = Trim(prediction);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = '\n';
  }
  return Lower(Trim(text));
}

std::u32string WithoutSpace(const std::string& text) {
  std::u32string points = CodePoints(text);
  std::erase_if(points, IsSpace);
  return points;
}

// Lower case without ASCII punctuation.
std::string Plain(const std::string& text) {
  std::string plain = Lower(text);
  std::erase_if(plain, [](char c) { return IsAsciiPunctuation(static_cast<unsigned char>(c)); });
  return plain;
}

}  // namespace

double StringMatchAll(const std::string& prediction, const References& golds) {
  const std::string text = WithoutControls(prediction);
  return Share(golds, [&](const std::string& gold) { return Contains(text, Lower(gold)); });
}

double StringMatchPart(const std::string& prediction, const References& golds) {
  return StringMatchAll(prediction, golds) > 0 ? 1.0 : 0.0;
}

double KeywordShare(const std::string& prediction, const References& keywords) {
  return Share(keywords, [&](const std::string& keyword) { return Contains(prediction, keyword); });
}

double LowerKeywords(const std::string& prediction, const References& golds) {
  double best = 0;
  const std::string text = Lower(prediction);
  for (const std::string& gold : golds) best = std::max(best, KeywordShare(text, Words(Lower(gold))));
  return best;
}

double NeedleOrDistance(const std::string& prediction, const References& needle_and_keyword) {
  if (needle_and_keyword.size() != 2) return 0;
  if (Contains(prediction, needle_and_keyword[1])) return 1;
  const std::u32string text = WithoutSpace(prediction);
  const std::u32string needle = WithoutSpace(needle_and_keyword[0]);
  const auto longest = static_cast<double>(std::max(text.size(), needle.size()));
  if (longest == 0) return kDistancePart;
  return kDistancePart * (1 - static_cast<double>(EditDistance(text, needle)) / longest);
}

double NumberToken(const std::string& prediction, const References& golds) {
  const std::vector<std::string> words = Words(Plain(prediction));
  for (const std::string& gold : golds) {
    const std::string number = Plain(gold);
    for (const std::string& word : words) {
      if (word.starts_with(number)) return 1;
    }
  }
  return 0;
}

double WordRecall(const std::string& prediction, const References& golds) {
  double best = 0;
  const std::vector<std::string> said = Words(Plain(prediction));
  for (const std::string& gold : golds) {
    const auto is_said = [&](const std::string& word) {
      return std::find(said.begin(), said.end(), word) != said.end();
    };
    best = std::max(best, Share(Words(Plain(gold)), is_said));
  }
  return best;
}

}  // namespace ltri
