#include "eval/score/porter_stemmer.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace ltri {
namespace {

// [i]: whether letter i is a consonant; y is one at the start and after a vowel.
std::vector<bool> Consonants(std::string_view word) {
  std::vector<bool> flags;
  for (const char c : word) {
    if (c == 'y') {
      flags.push_back(flags.empty() || !flags.back());
    } else {
      flags.push_back(std::string_view("aeiou").find(c) == std::string_view::npos);
    }
  }
  return flags;
}

bool EndsInConsonant(std::string_view word) { return !word.empty() && Consonants(word).back(); }

// How often a vowel is followed by a consonant.
int Measure(std::string_view word) {
  const std::vector<bool> consonant = Consonants(word);
  int count = 0;
  for (size_t i = 1; i < consonant.size(); ++i) count += !consonant[i - 1] && consonant[i] ? 1 : 0;
  return count;
}

bool HasVowel(std::string_view word) {
  const std::vector<bool> consonant = Consonants(word);
  return std::find(consonant.begin(), consonant.end(), false) != consonant.end();
}

bool EndsInDouble(std::string_view word) {
  return word.size() >= 2 && word[word.size() - 1] == word[word.size() - 2] && EndsInConsonant(word);
}

// Consonant, vowel, consonant other than w, x, y; or a word of vowel and consonant.
bool EndsInShortSyllable(std::string_view word) {
  const std::vector<bool> consonant = Consonants(word);
  const size_t n = word.size();
  if (n == 2) return !consonant[0] && consonant[1];
  return n >= 3 && consonant[n - 3] && !consonant[n - 2] && consonant[n - 1] &&
         std::string_view("wxy").find(word[n - 1]) == std::string_view::npos;
}

std::string Without(const std::string& word, size_t letters) { return word.substr(0, word.size() - letters); }

struct Rule {
  std::string_view suffix;
  std::string_view replacement;
};

// The first rule whose suffix fits decides; it applies when what is left has more than `least` measures.
std::string ApplyFirst(const std::string& word, std::initializer_list<Rule> rules, int least) {
  for (const Rule& rule : rules) {
    if (!word.ends_with(rule.suffix)) continue;
    const std::string stem = Without(word, rule.suffix.size());
    return Measure(stem) > least ? stem + std::string(rule.replacement) : word;
  }
  return word;
}

std::string Plurals(const std::string& word) {
  if (word.ends_with("ies")) return Without(word, word.size() == 4 ? 1 : 2);
  if (word.ends_with("sses")) return Without(word, 2);
  if (word.ends_with("s") && !word.ends_with("ss")) return Without(word, 1);
  return word;
}

std::string PastAndGerund(const std::string& word) {
  if (word.ends_with("ied")) return Without(word, word.size() == 4 ? 1 : 2);
  if (word.ends_with("eed")) return Measure(Without(word, 3)) > 0 ? Without(word, 1) : word;
  std::string stem;
  for (const std::string_view suffix : {"ed", "ing"}) {
    if (word.ends_with(suffix) && HasVowel(std::string_view(word).substr(0, word.size() - suffix.size()))) {
      stem = Without(word, suffix.size());
      break;
    }
  }
  if (stem.empty()) return word;
  for (const std::string_view suffix : {"at", "bl", "iz"}) {
    if (stem.ends_with(suffix)) return stem + "e";
  }
  if (EndsInDouble(stem)) {
    return std::string_view("lsz").find(stem.back()) == std::string_view::npos ? Without(stem, 1) : stem;
  }
  return Measure(stem) == 1 && EndsInShortSyllable(stem) ? stem + "e" : stem;
}

std::string FinalY(const std::string& word) {
  if (!word.ends_with("y")) return word;
  const std::string stem = Without(word, 1);
  return stem.size() > 1 && EndsInConsonant(stem) ? stem + "i" : word;
}

std::string LongSuffixes(const std::string& word) {
  if (word.ends_with("alli") && Measure(Without(word, 4)) > 0) return LongSuffixes(Without(word, 2));
  if (word.ends_with("logi")) return Measure(Without(word, 3)) > 0 ? Without(word, 1) : word;
  return ApplyFirst(word,
                    {{"ational", "ate"}, {"tional", "tion"}, {"enci", "ence"}, {"anci", "ance"}, {"izer", "ize"},
                     {"bli", "ble"},     {"alli", "al"},     {"entli", "ent"}, {"eli", "e"},     {"ousli", "ous"},
                     {"ization", "ize"}, {"ation", "ate"},   {"ator", "ate"},  {"alism", "al"},  {"iveness", "ive"},
                     {"fulness", "ful"}, {"ousness", "ous"}, {"aliti", "al"},  {"iviti", "ive"}, {"biliti", "ble"},
                     {"fulli", "ful"}},
                    0);
}

std::string MiddleSuffixes(const std::string& word) {
  return ApplyFirst(
      word,
      {{"icate", "ic"}, {"ative", ""}, {"alize", "al"}, {"iciti", "ic"}, {"ical", "ic"}, {"ful", ""}, {"ness", ""}}, 0);
}

std::string LastSuffixes(const std::string& word) {
  const bool ion = word.ends_with("ion");
  if (ion) {
    const std::string stem = Without(word, 3);
    return Measure(stem) > 1 && (stem.back() == 's' || stem.back() == 't') ? stem : word;
  }
  return ApplyFirst(word,
                    {{"al", ""},
                     {"ance", ""},
                     {"ence", ""},
                     {"er", ""},
                     {"ic", ""},
                     {"able", ""},
                     {"ible", ""},
                     {"ant", ""},
                     {"ement", ""},
                     {"ment", ""},
                     {"ent", ""},
                     {"ou", ""},
                     {"ism", ""},
                     {"ate", ""},
                     {"iti", ""},
                     {"ous", ""},
                     {"ive", ""},
                     {"ize", ""}},
                    1);
}

std::string FinalLetters(std::string word) {
  if (word.ends_with("e")) {
    const std::string stem = Without(word, 1);
    if (Measure(stem) > 1 || (Measure(stem) == 1 && !EndsInShortSyllable(stem))) word = stem;
  }
  if (word.ends_with("ll") && Measure(Without(word, 1)) > 1) word.pop_back();
  return word;
}

}  // namespace

std::string PorterStem(const std::string& word) {
  constexpr Rule kIrregular[] = {{"skies", "sky"},      {"dying", "die"},      {"lying", "lie"},       {"tying", "tie"},
                                 {"innings", "inning"}, {"outings", "outing"}, {"cannings", "canning"}};
  constexpr std::string_view kUnchanged[] = {"sky",  "news",    "inning", "outing", "canning",
                                             "howe", "proceed", "exceed", "succeed"};
  for (const Rule& form : kIrregular) {
    if (word == form.suffix) return std::string(form.replacement);
  }
  if (word.size() <= 2 || std::find(std::begin(kUnchanged), std::end(kUnchanged), word) != std::end(kUnchanged)) {
    return word;
  }
  return FinalLetters(LastSuffixes(MiddleSuffixes(LongSuffixes(FinalY(PastAndGerund(Plurals(word)))))));
}

}  // namespace ltri
