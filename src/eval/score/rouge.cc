// ROUGE in its two forms: Google's rouge_score (Infinity-Bench, NIAH) and the package `rouge` 1.0 (LongBench).
#include <algorithm>
#include <map>
#include <set>

#include "eval/score/overlap.h"
#include "eval/score/porter_stemmer.h"
#include "eval/score/scorers.h"
#include "eval/score/text_units.h"

namespace ltri {
namespace {

constexpr size_t kShortestStemmed = 4;  // characters
constexpr double kNoZero = 1e-8;        // the package adds it below the fraction line

// [a-z0-9]+ of the lower-cased text.
WordList AlphanumericWords(const std::string& text) {
  WordList words;
  bool open = false;
  for (const char c : Lower(text)) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (kept && !open) words.emplace_back();
    if (kept) words.back() += c;
    open = kept;
  }
  return words;
}

std::vector<WordList> LinesOfWords(const std::string& text) {
  std::vector<WordList> lines;
  for (const std::string& line : SplitAt(text, '\n')) {
    if (!line.empty()) lines.push_back(AlphanumericWords(line));
  }
  return lines;
}

size_t CountWords(const std::vector<WordList>& lines, std::map<std::string, int64_t>* counts) {
  size_t total = 0;
  for (const WordList& line : lines) {
    total += line.size();
    for (const std::string& word : line) ++(*counts)[word];
  }
  return total;
}

double SummaryF1(const std::vector<WordList>& said, const std::vector<WordList>& gold) {
  std::map<std::string, int64_t> left_said;
  std::map<std::string, int64_t> left_gold;
  const size_t said_words = CountWords(said, &left_said);
  const size_t gold_words = CountWords(gold, &left_gold);
  if (said_words == 0 || gold_words == 0) return 0;
  double hits = 0;
  for (const WordList& line : gold) {
    std::set<size_t> places;
    for (const WordList& other : said) {
      const std::vector<size_t> common = CommonSubsequence(line, other, /*x_first=*/true);
      places.insert(common.begin(), common.end());
    }
    for (const size_t place : places) {
      int64_t& of_said = left_said[line[place]];
      int64_t& of_gold = left_gold[line[place]];
      if (of_said <= 0 || of_gold <= 0) continue;
      --of_said;
      --of_gold;
      ++hits;
    }
  }
  return F1(hits / static_cast<double>(said_words), hits / static_cast<double>(gold_words));
}

// The package's sentences: parts between full stops; one of white space only is an empty word.
std::vector<WordList> Sentences(const std::string& text) {
  std::vector<WordList> sentences;
  for (const std::string& part : SplitAt(text, '.')) {
    if (part.empty()) continue;
    sentences.push_back(Words(part));
    if (sentences.back().empty()) sentences.back().emplace_back();
  }
  return sentences;
}

size_t DistinctWords(const std::vector<WordList>& sentences) {
  std::set<std::string> words;
  for (const WordList& sentence : sentences) words.insert(sentence.begin(), sentence.end());
  return words.size();
}

double PackageRougeL(const std::string& prediction, const std::string& gold) {
  const std::vector<WordList> said = Sentences(prediction);
  const std::vector<WordList> wanted = Sentences(gold);
  if (said.empty() || wanted.empty()) return 0;
  std::set<std::string> common;
  for (const WordList& sentence : wanted) {
    for (const WordList& other : said) {
      for (const size_t place : CommonSubsequence(sentence, other, /*x_first=*/false)) common.insert(sentence[place]);
    }
  }
  const auto hits = static_cast<double>(common.size());
  const double recall = hits / static_cast<double>(DistinctWords(wanted));
  const double precision = hits / static_cast<double>(DistinctWords(said));
  return 2 * precision * recall / (precision + recall + kNoZero);
}

std::string Spaced(const std::string& text) {
  std::string spaced;
  for (const char32_t c : CodePoints(text)) {
    if (!IsSpace(c)) spaced += Utf8({&c, 1}) + " ";
  }
  return spaced;
}

WordList Stems(const std::string& text) {
  WordList words = AlphanumericWords(text);
  for (std::string& word : words) {
    if (word.size() >= kShortestStemmed) word = PorterStem(word);
  }
  return words;
}

template <typename Score>
double Best(const References& golds, const Score& score) {
  double best = 0;
  for (const std::string& gold : golds) best = std::max(best, score(gold));
  return best;
}

}  // namespace

double RougeLsum(const std::string& prediction, const References& golds) {
  return Best(golds, [&](const std::string& gold) { return SummaryF1(LinesOfWords(prediction), LinesOfWords(gold)); });
}

double StemmedRouge1(const std::string& prediction, const References& golds) {
  return Best(golds, [&](const std::string& gold) { return BagF1(Stems(prediction), Stems(gold)); });
}

double RougeL(const std::string& prediction, const References& golds) {
  return Best(golds, [&](const std::string& gold) { return PackageRougeL(prediction, gold); });
}

double CharacterRougeL(const std::string& prediction, const References& golds) {
  return Best(golds, [&](const std::string& gold) { return PackageRougeL(Spaced(prediction), Spaced(gold)); });
}

}  // namespace ltri
