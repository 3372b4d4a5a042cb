// Scorers of LongBench that are not those of Infinity-Bench or ROUGE.
#include <algorithm>
#include <cmath>

#include "eval/score/overlap.h"
#include "eval/score/scorers.h"
#include "eval/score/text_units.h"

namespace ltri {
namespace {

// The number behind the first `word` that is followed by digits; empty when there is none.
std::string NumberAfter(const std::string& text, const std::string& word) {
  for (size_t at = 0; (at = text.find(word, at)) != std::string::npos;) {
    at += word.size();
    if (at < text.size() && text[at] >= '0' && text[at] <= '9') return DigitRuns(text.substr(at)).front();
  }
  return "";
}

// The reference removes from the list that it walks, so it passes over the class behind each one that it removed.
void RemovePartsOf(const std::string& gold, std::vector<std::string>& classes) {
  for (size_t i = 0; i < classes.size(); ++i) {
    if (Contains(gold, classes[i]) && classes[i] != gold) classes.erase(classes.begin() + static_cast<int64_t>(i));
  }
}

}  // namespace

double Classification(const std::string& prediction, const References& gold_and_classes) {
  if (gold_and_classes.empty()) return 0;
  const std::string& gold = gold_and_classes.front();
  std::vector<std::string> found;
  for (size_t i = 1; i < gold_and_classes.size(); ++i) {
    if (Contains(prediction, gold_and_classes[i])) found.push_back(gold_and_classes[i]);
  }
  RemovePartsOf(gold, found);
  if (std::find(found.begin(), found.end(), gold) == found.end()) return 0;
  return 1.0 / static_cast<double>(found.size());
}

double Counted(const std::string& prediction, const References& golds) {
  const std::vector<std::string> said = DigitRuns(prediction);
  if (said.empty()) return 0;
  double best = 0;
  for (const std::string& gold : golds) {
    const auto right = std::count(said.begin(), said.end(), gold);
    best = std::max(best, static_cast<double>(right) / static_cast<double>(said.size()));
  }
  return best;
}

double RetrievedParagraph(const std::string& prediction, const References& golds) {
  References numbers;
  for (const std::string& gold : golds) {
    for (const char* word : {"Paragraph ", "段落"}) {
      const std::string number = NumberAfter(gold, word);
      if (!number.empty()) numbers.push_back(number);
    }
  }
  return Counted(prediction, numbers);
}

double CodeSimilarity(const std::string& prediction, const References& golds) {
  std::string text = prediction;
  text.erase(0, std::min(text.find_first_not_of('\n'), text.size()));
  std::string first;
  for (const std::string& line : SplitAt(text, '\n')) {
    if (Contains(line, "`") || Contains(line, "#") || Contains(line, "//")) continue;
    first = line;
    break;
  }
  double best = 0;
  for (const std::string& gold : golds) {
    if (first.empty() || gold.empty()) continue;
    best = std::max(best, std::nearbyint(100 * MatchingBlockRatio(first, gold)) / 100);
  }
  return best;
}

double ChoiceLetter(const std::string& prediction, const References& letters) {
  const std::string text = ReplaceAll(prediction, "*", "");
  for (const std::string bracket : {"(", ""}) {
    const std::string start = "The correct answer is " + bracket;
    const std::string end = bracket.empty() ? "" : ")";
    for (size_t at = 0; (at = text.find(start, at)) != std::string::npos;) {
      at += start.size();
      const std::string letter = text.substr(at, 1);
      if (letter.empty() || !Contains("ABCD", letter) || !text.substr(at + 1).starts_with(end)) continue;
      return std::find(letters.begin(), letters.end(), letter) != letters.end() ? 1.0 : 0.0;
    }
  }
  return 0;
}

}  // namespace ltri
