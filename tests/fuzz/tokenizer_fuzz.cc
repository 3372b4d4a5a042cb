// Any bytes as text: encoded with and without control tokens, cut or whole, and decoded again.
//
// LTRI_FUZZ_VOCABULARY names a GGUF file; without it one of llama.cpp's vocabularies is used.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "text/tokenizer.h"
#include "text/utf8.h"

namespace {

std::shared_ptr<ltri::Tokenizer> Load() {
  const char* path = std::getenv("LTRI_FUZZ_VOCABULARY");
  auto tokenizer = ltri::Tokenizer::Load(path != nullptr ? path : LTRI_TEST_VOCABULARIES "/ggml-vocab-llama-spm.gguf");
  if (!tokenizer.ok()) {
    std::fprintf(stderr, "%s\n", tokenizer.error().message.c_str());
    std::exit(1);
  }
  return *tokenizer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::shared_ptr<ltri::Tokenizer> tokenizer = Load();
  if (size < 2) return 0;
  // The first bytes choose how often the rest is repeated, so that long texts are met as well.
  std::string text;
  const std::string_view unit(reinterpret_cast<const char*>(data) + 2, size - 2);
  const size_t bytes = std::min<size_t>(size_t{data[0]} * 256, 65536);
  do {
    text += unit;
  } while (!unit.empty() && text.size() < bytes);

  const auto tokens = tokenizer->Encode(text, (data[1] & 1) != 0, (data[1] & 2) != 0);
  if (tokens.ok() == ltri::FindInvalidUtf8(text).has_value()) std::abort();
  if (!tokens.ok()) return 0;
  ltri::Utf8Stream stream;
  std::string out;
  for (const ltri::TokenId token : *tokens) out += stream.Push(tokenizer->Piece(token));
  out += stream.Finish();
  if (ltri::FindInvalidUtf8(out)) std::abort();
  return 0;
}
