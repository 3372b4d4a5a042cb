// Minimal tokenizers for tiny models.
#ifndef LTRI_TESTS_SUPPORT_TINY_TOKENIZER_H_
#define LTRI_TESTS_SUPPORT_TINY_TOKENIZER_H_

#include <cstdint>

struct gguf_context;

namespace ltri::testing {

// Byte-pair encoding: the 256 bytes, five merges, <|begin|> and <|end|>, unused tokens up to `vocabulary`.
void AddBytePairTokenizer(gguf_context* file, int64_t vocabulary);

// SentencePiece: <unk>, <s>, </s>, the 256 bytes, letters and a few words, unused tokens up to `vocabulary`.
void AddSentencePieceTokenizer(gguf_context* file, int64_t vocabulary);

}  // namespace ltri::testing

#endif  // LTRI_TESTS_SUPPORT_TINY_TOKENIZER_H_
