// The vocabulary of a model folder, as the values that its GGUF conversion would have.
//
// Two kinds of BPE are read from tokenizer.json: over bytes (GPT-2, Llama 3, Qwen), with its merges; and
// SentencePiece's over characters (Llama 2, Mistral, Gemma), where the rank of the merge that makes a token becomes the
// token's score.
#ifndef LTRI_WEIGHTS_HF_HF_VOCABULARY_H_
#define LTRI_WEIGHTS_HF_HF_VOCABULARY_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "ltri/result.h"
#include "weights/gguf_writer.h"

namespace ltri {

// Reads tokenizer.json, and as far as they are there tokenizer_config.json, generation_config.json and
// chat_template.jinja of `folder`; `config` is config.json. `rows`: of the embedding; tokens that tokenizer.json does
// not have are written as unused. Errors name the file and the field.
Status AddHfVocabulary(const std::string& folder, const nlohmann::json& config, int64_t rows, GgufWriter& out);

}  // namespace ltri

#endif  // LTRI_WEIGHTS_HF_HF_VOCABULARY_H_
