#include "support/tiny_tokenizer.h"

#include <fmt/format.h>
#include <gguf.h>

#include <string>
#include <vector>

namespace ltri::testing {
namespace {

enum TokenKind : int32_t { kNormal = 1, kUnknown = 2, kControl = 3, kUnused = 5, kByte = 6 };

struct Tokens {
  std::vector<std::string> texts;
  std::vector<float> scores;
  std::vector<int32_t> kinds;

  uint32_t Add(const std::string& text, TokenKind kind, float score = 0.0F) {
    texts.push_back(text);
    kinds.push_back(kind);
    scores.push_back(score);
    return static_cast<uint32_t>(texts.size() - 1);
  }

  void FillUp(int64_t vocabulary) {
    while (static_cast<int64_t>(texts.size()) < vocabulary) Add(fmt::format("<unused{}>", texts.size()), kUnused);
  }
};

void SetStrings(gguf_context* file, const char* key, const std::vector<std::string>& strings) {
  std::vector<const char*> pointers;
  for (const std::string& string : strings) pointers.push_back(string.c_str());
  gguf_set_arr_str(file, key, pointers.data(), pointers.size());
}

void SetTokens(gguf_context* file, const Tokens& tokens) {
  SetStrings(file, "tokenizer.ggml.tokens", tokens.texts);
  gguf_set_arr_data(file, "tokenizer.ggml.scores", GGUF_TYPE_FLOAT32, tokens.scores.data(), tokens.scores.size());
  gguf_set_arr_data(file, "tokenizer.ggml.token_type", GGUF_TYPE_INT32, tokens.kinds.data(), tokens.kinds.size());
}

std::string Utf8(unsigned code) {
  if (code < 0x80) return std::string(1, static_cast<char>(code));
  return {static_cast<char>(0xC0U | (code >> 6U)), static_cast<char>(0x80U | (code & 0x3FU))};
}

// GPT-2 writes a byte that is no printable character as the next free code from 256.
std::vector<std::string> ByteTexts() {
  std::vector<std::string> texts;
  unsigned next = 256;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    texts.push_back(Utf8(printable ? byte : next++));
  }
  return texts;
}

}  // namespace

void AddBytePairTokenizer(gguf_context* file, int64_t vocabulary) {
  Tokens tokens;
  for (const std::string& text : ByteTexts()) tokens.Add(text, kNormal);
  const std::vector<std::string> merges = {"t h", "th e", "i n", "a n", "an d"};
  for (const std::string& merge : merges) {
    const size_t space = merge.find(' ');
    tokens.Add(merge.substr(0, space) + merge.substr(space + 1), kNormal);
  }
  const uint32_t begin = tokens.Add("<|begin|>", kControl);
  const uint32_t end = tokens.Add("<|end|>", kControl);
  tokens.FillUp(vocabulary);

  gguf_set_val_str(file, "tokenizer.ggml.model", "gpt2");
  gguf_set_val_str(file, "tokenizer.ggml.pre", "gpt-2");
  SetTokens(file, tokens);
  SetStrings(file, "tokenizer.ggml.merges", merges);
  gguf_set_val_u32(file, "tokenizer.ggml.bos_token_id", begin);
  gguf_set_val_u32(file, "tokenizer.ggml.eos_token_id", end);
  gguf_set_val_bool(file, "tokenizer.ggml.add_bos_token", false);
}

void AddSentencePieceTokenizer(gguf_context* file, int64_t vocabulary) {
  Tokens tokens;
  const uint32_t unknown = tokens.Add("<unk>", kUnknown);
  const uint32_t begin = tokens.Add("<s>", kControl);
  const uint32_t end = tokens.Add("</s>", kControl);
  for (unsigned byte = 0; byte < 256; ++byte) tokens.Add(fmt::format("<0x{:02X}>", byte), kByte);
  const std::string space = "\xE2\x96\x81";
  tokens.Add(space, kNormal, -1.0F);
  for (const char* word : {"t", "h", "e", "th", "the", "a", "n", "d", "an", "and"}) {
    tokens.Add(word, kNormal, -2.0F);
  }
  tokens.Add(space + "the", kNormal, -0.5F);
  tokens.FillUp(vocabulary);

  gguf_set_val_str(file, "tokenizer.ggml.model", "llama");
  gguf_set_val_str(file, "tokenizer.ggml.pre", "default");
  SetTokens(file, tokens);
  gguf_set_val_u32(file, "tokenizer.ggml.bos_token_id", begin);
  gguf_set_val_u32(file, "tokenizer.ggml.eos_token_id", end);
  gguf_set_val_u32(file, "tokenizer.ggml.unknown_token_id", unknown);
  gguf_set_val_bool(file, "tokenizer.ggml.add_bos_token", true);
}

}  // namespace ltri::testing
