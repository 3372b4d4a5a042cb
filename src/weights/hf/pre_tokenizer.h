// How a tokenizer.json prepares a text for its merges, in the terms that llama.cpp has for it.
#ifndef LTRI_WEIGHTS_HF_PRE_TOKENIZER_H_
#define LTRI_WEIGHTS_HF_PRE_TOKENIZER_H_

#include <nlohmann/json.hpp>
#include <string>

#include "ltri/result.h"

namespace ltri {

// The "tokenizer.ggml.pre" of a byte-level vocabulary. `json` is tokenizer.json; has_bos: it has a token that begins a
// text. Error kUnsupported: what was found, and what to do about it.
Result<std::string> PreTokenizerName(const nlohmann::json& json, bool has_bos);

// Whether a ByteLevel step is part of the pre-tokenizer; SentencePiece vocabularies have none.
bool SplitsBytes(const nlohmann::json& json);

// Whether a SentencePiece vocabulary puts a space in front of a text. Error as above.
Result<bool> PrefixesSpace(const nlohmann::json& json);

}  // namespace ltri

#endif  // LTRI_WEIGHTS_HF_PRE_TOKENIZER_H_
