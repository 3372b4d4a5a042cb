// Grammar: which texts an answer may be, in the form that samplers apply token by token.
#ifndef LTRI_TEXT_GRAMMAR_H_
#define LTRI_TEXT_GRAMMAR_H_

#include <string>
#include <string_view>
#include <vector>

#include "ltri/options.h"
#include "ltri/result.h"

namespace ltri {

struct Grammar {
  std::string rules;                       // GBNF with a rule `root`
  bool lazy = false;                       // holds only from the first trigger on
  std::vector<std::string> trigger_texts;  // regular expressions over the answer so far; lazy only
  std::vector<TokenId> trigger_tokens;     // lazy only
  std::vector<TokenId> opening;            // tokens of the prompt that the rules cover already
};

// The JSON texts that a JSON schema (itself JSON) allows. Error kInvalidArgument says what of the schema cannot be
// used.
Result<Grammar> GrammarOfSchema(std::string_view schema);

}  // namespace ltri

#endif  // LTRI_TEXT_GRAMMAR_H_
