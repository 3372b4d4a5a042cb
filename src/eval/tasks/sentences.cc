#include "eval/tasks/sentences.h"

#include <algorithm>
#include <cctype>

namespace ltri {
namespace {

constexpr std::string_view kAbbreviations[] = {"Mr", "Mrs", "Ms", "Dr", "St", "No", "vol", "Capt", "Col", "Gen", "Rev"};
constexpr std::string_view kQuotes[] = {"”", "’", "\"", "'", ")"};
constexpr std::string_view kOpeningQuotes[] = {"“", "‘", "\"", "'", "("};

// The length of a quote that `text` begins with; 0 when there is none.
size_t QuoteLength(std::string_view text, const std::string_view (&quotes)[5]) {
  for (const std::string_view quote : quotes) {
    if (text.starts_with(quote)) return quote.size();
  }
  return 0;
}

bool IsUpper(char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; }

bool StartsSentence(std::string_view text) {
  const size_t quote = QuoteLength(text, kOpeningQuotes);
  if (quote >= text.size()) return false;
  return quote > 0 || IsUpper(text[0]) || std::isdigit(static_cast<unsigned char>(text[0])) != 0;
}

// Whether the full stop at `at` belongs to an abbreviation or an initial.
bool IsAbbreviation(std::string_view text, size_t at) {
  size_t begin = at;
  while (begin > 0 && std::isalpha(static_cast<unsigned char>(text[begin - 1])) != 0) --begin;
  const std::string_view word = text.substr(begin, at - begin);
  if (word.size() == 1 && IsUpper(word[0]) && word != "I") return true;
  return std::find(std::begin(kAbbreviations), std::end(kAbbreviations), word) != std::end(kAbbreviations);
}

}  // namespace

std::vector<std::string_view> SplitSentences(std::string_view text) {
  std::vector<std::string_view> sentences;
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '.' && text[i] != '?' && text[i] != '!') continue;
    size_t end = i + 1;
    for (size_t length = 0; (length = QuoteLength(text.substr(end), kQuotes)) > 0;) end += length;
    if (end + 1 >= text.size() || text[end] != ' ' || !StartsSentence(text.substr(end + 1))) continue;
    if (text[i] == '.' && IsAbbreviation(text, i)) continue;
    sentences.push_back(text.substr(begin, end - begin));
    begin = end + 1;
    i = end;
  }
  if (begin < text.size()) sentences.push_back(text.substr(begin));
  return sentences;
}

std::string SingleSpaces(std::string_view text) {
  std::string folded;
  folded.reserve(text.size());
  for (const char c : text) {
    const bool space = std::isspace(static_cast<unsigned char>(c)) != 0;
    if (!space) {
      folded += c;
    } else if (!folded.empty() && folded.back() != ' ') {
      folded += ' ';
    }
  }
  return folded;
}

}  // namespace ltri
