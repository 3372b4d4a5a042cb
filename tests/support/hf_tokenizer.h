// The tokenizer of a GGUF file as the files that a model folder has for it: tokenizer.json, tokenizer_config.json.
#ifndef LTRI_TESTS_SUPPORT_HF_TOKENIZER_H_
#define LTRI_TESTS_SUPPORT_HF_TOKENIZER_H_

#include <memory>
#include <string>

#include "text/tokenizer.h"
#include "weights/gguf_file.h"

namespace ltri::testing {

// Aborts when the file has a tokenizer of another kind than BPE over bytes or SentencePiece.
// merges_as_pairs: ["a", "b"] instead of "a b", as newer files have them.
void WriteHfTokenizer(const GgufFile& gguf, const std::string& folder, bool merges_as_pairs = false);

// The tokenizer of a GGUF file, written that way and read again.
std::shared_ptr<Tokenizer> TokenizerByFolder(const std::string& gguf_path, bool merges_as_pairs);

// Both give the same tokens for many texts.
void ExpectSameTokenizer(const Tokenizer& expected, const Tokenizer& actual);

}  // namespace ltri::testing

#endif  // LTRI_TESTS_SUPPORT_HF_TOKENIZER_H_
