// Needle prompts: one sentence with a number hidden in a long text, and the question for it (RULER's wording,
// arXiv 2404.06654, as a text to be completed).
#ifndef LTRI_EVAL_NEEDLE_H_
#define LTRI_EVAL_NEEDLE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ltri/model.h"
#include "ltri/session.h"

namespace ltri {

struct NeedleOptions {
  int64_t tokens = 4000;       // of the whole prompt
  uint64_t seed = 0;           // of this prompt: key, number, haystack offset and place
  double depth = -1;           // 0 (start) to 1 (end); < 0: random between the margins
  int64_t margin_front = 128;  // the needle lies at least so many tokens behind the prompt's start ...
  int64_t margin_back = 1200;  // ... and before its end; a random place only
};

struct NeedlePrompt {
  std::vector<TokenId> tokens;
  std::string key;       // what is asked for
  std::string answer;    // seven digits
  std::string sentence;  // the needle
  TokenRange needle;     // the sentence's tokens
  TokenRange evidence;   // the answer's tokens
};

// A haystack: text with white space folded, tokenized once. Prompts are cut from it.
class Haystack {
 public:
  static Result<Haystack> Create(const Model& model, std::string_view text);

  // Errors: kInvalidArgument when the haystack is too short for the prompt, or the margins leave no room.
  Result<NeedlePrompt> MakePrompt(const Model& model, const NeedleOptions& options) const;

  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }

 private:
  std::vector<TokenId> tokens_;
  std::vector<uint8_t> ends_sentence_;  // a token that ends with . ! or ?
};

}  // namespace ltri

#endif  // LTRI_EVAL_NEEDLE_H_
