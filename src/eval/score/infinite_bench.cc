// Scorers of Infinity-Bench, with the quirks of its own code.
#include <algorithm>
#include <cstdlib>
#include <initializer_list>

#include "eval/score/overlap.h"
#include "eval/score/scorers.h"
#include "eval/score/text_units.h"

namespace ltri {
namespace {

constexpr std::string_view kPunctuationBlanked = "\n:\"'.,?!{}";

// Not among them: 《, · and ．
constexpr std::u32string_view kChinesePunctuation =
    U"！？｡。＂＃＄％＆＇（）＊＋，－／：；＜＝＞＠［＼］＾＿｀｛｜｝～｟｠｢｣､、〃》「」『』【】〔〕〖〗〘〙〚〛〜〝〞"
    U"〟〰〾〿–—‘’‛“”„‟…‧﹏";

bool Among(const References& golds, const std::string& text) {
  return std::find(golds.begin(), golds.end(), text) != golds.end();
}

double IsTrue(bool right) { return right ? 1.0 : 0.0; }

// An integer as Python's int() reads it, without sign + and leading zeros; empty when it is none.
std::string Integer(std::string text) {
  text = Trim(text);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.erase(0, 1);
  if (DigitRuns(text) != std::vector<std::string>{text}) return "";
  text.erase(0, std::min(text.find_first_not_of('0'), text.size() - 1));
  return negative && text != "0" ? "-" + text : text;
}

enum class Start { kNoPrefix, kRight, kWrong };

// What stands behind the first of these prefixes, one character left out, begins with one of `starts`.
Start AfterPrefix(const std::string& text, std::initializer_list<std::string_view> prefixes, const References& starts) {
  for (const std::string_view prefix : prefixes) {
    const size_t at = text.find(prefix);
    if (at == std::string::npos) continue;
    if (text.size() < at + prefix.size() + 1) return Start::kWrong;
    const std::string rest = text.substr(at + prefix.size() + 1);
    const auto begins = [&](const std::string& start) { return rest.starts_with(start); };
    return std::any_of(starts.begin(), starts.end(), begins) ? Start::kRight : Start::kWrong;
  }
  return Start::kNoPrefix;
}

// SQuAD's normalisation: lower case, no ASCII punctuation, no articles, single spaces.
WordList NormalWords(const std::string& text) {
  const std::u32string points = CodePoints(Lower(text));
  std::u32string kept;
  std::u32string word;
  const auto close = [&] {
    const bool article = word == U"a" || word == U"an" || word == U"the";
    kept += article ? std::u32string(U" ") : word;
    word.clear();
  };
  for (const char32_t c : points) {
    if (IsAsciiPunctuation(c)) continue;
    if (IsWordCharacter(c)) {
      word += c;
      continue;
    }
    close();
    kept += c;
  }
  close();
  return Words(Utf8(kept));
}

WordList Characters(const std::string& text) {
  WordList characters;
  for (const char32_t c : CodePoints(Lower(text))) {
    const bool dropped =
        IsAsciiPunctuation(c) || IsSpace(c) || kChinesePunctuation.find(c) != std::u32string_view::npos;
    if (!dropped) characters.push_back(Utf8({&c, 1}));
  }
  return characters;
}

template <typename Normalise>
double BestF1(const std::string& prediction, const References& golds, const Normalise& normalise) {
  double best = 0;
  for (const std::string& gold : golds) best = std::max(best, BagF1(normalise(prediction), normalise(gold)));
  return best;
}

// \d+\.\d+|\d+
std::string FirstNumber(const std::string& text) {
  const auto is_digit = [&](size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9'; };
  size_t begin = 0;
  while (begin < text.size() && !is_digit(begin)) ++begin;
  size_t end = begin;
  while (is_digit(end)) ++end;
  if (end < text.size() && text[end] == '.' && is_digit(end + 1)) {
    ++end;
    while (is_digit(end)) ++end;
  }
  return text.substr(begin, end - begin);
}

}  // namespace

double FirstInteger(const std::string& prediction, const References& golds) {
  const std::vector<std::string> runs = DigitRuns(prediction);
  return IsTrue(!runs.empty() && Among(golds, runs.front()));
}

double KeyValue(const std::string& prediction, const References& golds) {
  const std::vector<std::string> words = Words(Blank(prediction, kPunctuationBlanked));
  return IsTrue(std::any_of(words.begin(), words.end(), [&](const std::string& word) { return Among(golds, word); }));
}

double CodeRun(const std::string& prediction, const References& golds) {
  const std::vector<std::string> words = Words(Blank(Trim(prediction), "\n.`'\":"));
  if (words.empty() || golds.empty()) return 0;
  const std::string value = Integer(words.back());
  return IsTrue(!value.empty() && value == Integer(golds.front()));
}

double CodeDebug(const std::string& prediction, const References& function_and_letter) {
  if (function_and_letter.size() < 2) return 0;
  const std::string& function = function_and_letter[0];
  const std::string& letter = function_and_letter[1];
  std::string text = Trim(prediction);
  if (text.starts_with(letter + ".") || text.starts_with(letter + ":")) return 1;
  text = Blank(std::move(text), "\n`'\"-*");
  text = SqueezeSpaces(ReplaceAll(ReplaceAll(std::move(text), "Option", " "), "option", " "));
  return IsTrue(AfterPrefix(text, {"answer is:", "is:", "answer:", "correct option is:"}, {letter, function}) ==
                Start::kRight);
}

double MathFind(const std::string& prediction, const References& golds) {
  const std::string number = FirstNumber(prediction);
  if (number.empty() || golds.empty()) return 0;
  const bool whole = !Contains(golds.front(), ".");
  if (whole) return IsTrue(Integer(number) == Integer(golds.front()));
  return IsTrue(std::strtod(number.c_str(), nullptr) == std::strtod(golds.front().c_str(), nullptr));
}

double MathCalc(const std::string& prediction, const References& values) {
  if (values.empty()) return 0;
  const std::vector<std::string> said = DigitRuns(prediction);
  size_t right = 0;
  while (right < std::min(said.size(), values.size()) && Integer(said[right]) == Integer(values[right])) ++right;
  return static_cast<double>(right) / static_cast<double>(values.size());
}

double Dialogue(const std::string& prediction, const References& golds) {
  const std::vector<std::string> words = Words(Upper(Blank(prediction, kPunctuationBlanked)));
  return IsTrue(!golds.empty() && Among(words, golds.front()));
}

double BookChoice(const std::string& prediction, const References& option_and_letter) {
  std::string text = Trim(prediction);
  if (text.empty()) return 0;
  const std::string_view letters = "ABCD";
  if (Contains(letters, text.substr(0, 1))) return IsTrue(Among(option_and_letter, text.substr(0, 1)));
  if (Among(option_and_letter, text)) return 1;
  text = SqueezeSpaces(Blank(std::move(text), "\n\"'.,?!{}"));
  const Start start = AfterPrefix(text, {"answer is:", "answer:", "answer is", "option is"}, option_and_letter);
  if (start != Start::kNoPrefix) return IsTrue(start == Start::kRight);
  for (const std::string& word : Words(text)) {
    if (Contains(letters, word)) return IsTrue(Among(option_and_letter, word));
  }
  return 0;
}

double WordF1(const std::string& prediction, const References& golds) { return BestF1(prediction, golds, NormalWords); }

double CharacterF1(const std::string& prediction, const References& golds) {
  return BestF1(prediction, golds, Characters);
}

}  // namespace ltri
