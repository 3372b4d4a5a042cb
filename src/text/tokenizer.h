// Tokenizer: text to token ids and back, with the vocabulary of a GGUF file or of values that lie in memory.
//
// Thread-safe after Load. Texts are UTF-8. A text of any length takes time linear in it and, beside the result, a
// bounded amount of memory: long texts are cut where the tokens come out the same as for the whole (text_cuts.h). Where
// 64 KiB hold no such place (with a word pattern: a megabyte, or kMaxRun bytes of nothing but, or without, white space)
// a text is cut in any case.
#ifndef LTRI_TEXT_TOKENIZER_H_
#define LTRI_TEXT_TOKENIZER_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ltri/options.h"
#include "ltri/result.h"

struct llama_model;
struct llama_vocab;

namespace ltri {

class Tokenizer {
 public:
  // White space, or anything but white space, longer than this many bytes is cut for tokenizers with a word pattern.
  static constexpr size_t kMaxRun = 65536;

  // Reads the vocabulary only, no weights. Errors: kNotFound, kCorrupt (damaged or contradictory), kUnsupported (a
  // model without a vocabulary).
  static Result<std::shared_ptr<Tokenizer>> Load(const std::string& path);
  // The same from the bytes of a GGUF file, of which values are enough. `name` is used in messages.
  static Result<std::shared_ptr<Tokenizer>> Parse(std::span<const std::byte> gguf, const std::string& name);

  ~Tokenizer();
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  // add_special: put the beginning-of-text token in front (and the end behind) if the model wants it.
  // parse_special: "<|im_start|>" and its like become control tokens; without it they are ordinary text.
  // Error kInvalidArgument when the text is not UTF-8, naming the byte.
  Result<std::vector<TokenId>> Encode(std::string_view text, bool add_special, bool parse_special) const;

  // The tokens of a text that goes on after another: no beginning-of-text, no space in front.
  Result<std::vector<TokenId>> EncodeNext(std::string_view text, bool parse_special) const;

  // Where to cut a text longer than `limit` bytes: the last place in (0, limit] that is safe, that is where Encode of
  // the front and EncodeNext of the rest give the tokens of the whole; or else, not safe, the last start of a
  // character.
  size_t FindCut(std::string_view text, size_t limit, bool* safe) const;

  // The pieces one after the other. Bytes, not always whole characters: see Utf8Stream. SPM vocabularies that put a
  // space in front of a text give it back here. Control tokens have no text.
  std::string Decode(std::span<const TokenId> tokens) const;

  // The bytes of one token; empty for a control token (unless shown) and for an id outside the vocabulary.
  std::string Piece(TokenId token, bool show_control = false) const;

  bool IsEndOfGeneration(TokenId token) const;  // end of text, of turn, of message, ...
  bool IsControl(TokenId token) const;
  TokenId bos() const;  // -1: none
  TokenId eos() const;  // -1: none
  bool adds_bos() const;
  bool adds_eos() const;
  int64_t vocabulary() const;       // number of tokens
  const std::string& kind() const;  // "BPE (smollm)", "SPM", ...

  // For the files that wrap llama.cpp: chat format, grammar.
  const llama_model* model() const;
  const llama_vocab* vocab() const;

 private:
  struct Impl;
  explicit Tokenizer(std::unique_ptr<Impl> impl);
  // file: null: read `path`, which messages name in any case.
  static Result<std::shared_ptr<Tokenizer>> Open(const std::string& path, std::FILE* file);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace ltri

#endif  // LTRI_TEXT_TOKENIZER_H_
