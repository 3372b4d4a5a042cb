// TextCuts: where a long text may be cut so that its parts tokenise to the same tokens as the whole.
//
// Merging tokenizers (SPM, BPE) join neighbours only into entries of the vocabulary. If no entry holds the two bytes
// around a place side by side, nothing is ever joined across it and both sides evolve on their own. BPE also splits
// words by a pattern first; there only places count where every pattern in use starts a word and looks no further back
// or ahead: between a letter and " x", and between "x\n" and a letter.
//
// Immutable after construction but for Add; thread-safe then.
#ifndef LTRI_TEXT_TEXT_CUTS_H_
#define LTRI_TEXT_TEXT_CUTS_H_

#include <bitset>
#include <cstddef>
#include <string_view>

namespace ltri {

class TextCuts {
 public:
  // has_word_pattern: a pattern splits words before merging (BPE).
  // prefixes_space: the tokenizer puts a space in front of a text (SPM of the Llama 2 family).
  TextCuts(bool has_word_pattern, bool prefixes_space);

  // Takes an entry of the vocabulary, as text with real spaces. `special`: it is matched before anything is merged;
  // `strips`: and swallows the white space beside it.
  void Add(std::string_view entry, bool special, bool strips);

  // Whether text may be cut before byte `at`, 0 < at < text.size(). The text is well-formed UTF-8.
  bool IsSafe(std::string_view text, size_t at) const;

  // The best place in (0, limit] to cut a text longer than `limit`: the last safe one, or else the last start of a
  // character. Sets *safe.
  size_t Find(std::string_view text, size_t limit, bool* safe) const;

 private:
  bool Joins(char left, char right) const;
  bool MayBeSwallowed(std::string_view text, size_t at) const;

  bool has_word_pattern_;
  bool prefixes_space_;
  bool strips_ = false;             // whether some special entry does
  std::bitset<65536> pairs_;        // bytes found side by side in some entry: left * 256 + right
  std::bitset<256> special_first_;  // first and last bytes of special entries
  std::bitset<256> special_last_;
};

}  // namespace ltri

#endif  // LTRI_TEXT_TEXT_CUTS_H_
