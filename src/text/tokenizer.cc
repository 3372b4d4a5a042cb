#include "text/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <limits>
#include <new>
#include <optional>
#include <utility>

#include "llama.h"
#include "text/big_stack.h"
#include "text/llama_log.h"
#include "text/text_cuts.h"
#include "text/utf8.h"

namespace ltri {
namespace {

// Bytes given to llama.cpp at a time. Its time for characters outside an SPM vocabulary is quadratic in this.
constexpr size_t kChunk = 16384;
// When no safe cut is found before. With a word pattern that happens in scripts without spaces.
constexpr size_t kMaxChunk = 65536;
constexpr size_t kMaxPatternChunk = 1 << 20;
constexpr size_t kDeepRun = 2048;  // longer runs need more stack in llama.cpp's regular expressions

struct ModelDeleter {
  void operator()(llama_model* model) const { llama_model_free(model); }
};
using ModelPtr = std::unique_ptr<llama_model, ModelDeleter>;

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using FilePtr = std::unique_ptr<std::FILE, FileCloser>;

std::string MetaString(const llama_model* model, const char* key) {
  char text[128] = {};
  return llama_model_meta_val_str(model, key, text, sizeof(text)) > 0 ? text : "";
}

std::string KindOf(const llama_model* model, enum llama_vocab_type type) {
  static const char* const kNames[] = {"none", "SPM", "BPE", "WPM", "UGM", "RWKV", "PLaMo-2"};
  const auto index = static_cast<size_t>(type);
  const std::string name = index < std::size(kNames) ? kNames[index] : "unknown";
  const std::string pattern = type == LLAMA_VOCAB_TYPE_BPE ? MetaString(model, "tokenizer.ggml.pre") : "";
  return pattern.empty() ? name : fmt::format("{} ({})", name, pattern);
}

std::string PieceOf(const llama_vocab* vocab, TokenId token, bool show_control) {
  if (token < 0 || token >= llama_vocab_n_tokens(vocab)) return "";
  std::string piece(32, '\0');
  for (int attempt = 0; attempt < 2; ++attempt) {
    const int32_t size =
        llama_token_to_piece(vocab, token, piece.data(), static_cast<int32_t>(piece.size()), 0, show_control);
    piece.resize(static_cast<size_t>(size < 0 ? -size : size));
    if (size >= 0) break;
  }
  return piece;
}

// Special entries keep the mark that stands for a space elsewhere.
std::string WithSpaces(std::string_view entry) {
  constexpr std::string_view kMark = "\xE2\x96\x81";
  std::string text;
  while (!entry.empty()) {
    const bool marked = entry.starts_with(kMark);
    text += marked ? ' ' : entry.front();
    entry.remove_prefix(marked ? kMark.size() : 1);
  }
  return text;
}

// Appends the tokens of a text that is short enough for one call.
Status TokenizeInto(const llama_vocab* vocab, std::string_view text, bool add_special, bool parse_special,
                    std::vector<TokenId>* tokens) {
  const size_t before = tokens->size();
  auto room = static_cast<int32_t>(text.size() + 16);
  for (int attempt = 0; attempt < 2; ++attempt) {
    tokens->resize(before + static_cast<size_t>(room));
    const int32_t count = llama_tokenize(vocab, text.data(), static_cast<int32_t>(text.size()), tokens->data() + before,
                                         room, add_special, parse_special);
    if (count >= 0) {
      tokens->resize(before + static_cast<size_t>(count));
      return {};
    }
    if (count == std::numeric_limits<int32_t>::min()) break;
    room = -count;
  }
  tokens->resize(before);
  return Error{ErrorCode::kInvalidArgument, "the tokenizer gave more tokens than it can count; shorten the text"};
}

// The longest stretch of white space, or of anything else.
size_t LongestRun(std::string_view text) {
  size_t longest = 0;
  size_t start = 0;
  const auto is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  for (size_t i = 1; i <= text.size(); ++i) {
    if (i < text.size() && is_space(text[i]) == is_space(text[i - 1])) continue;
    longest = std::max(longest, i - start);
    start = i;
  }
  return longest;
}

Error FileError(ErrorCode code, const std::string& path, const std::string& what) {
  return {code, fmt::format("{}: {}", path, what)};
}

}  // namespace

struct Tokenizer::Impl {
  ModelPtr model;
  const llama_vocab* vocab = nullptr;
  std::string kind;
  bool has_word_pattern = false;
  bool prefixes_space = false;
  std::optional<TextCuts> cuts;  // none: texts are never cut

  void FindCuts();
  Status AppendChunk(std::string_view text, bool add_special, bool parse_special, std::vector<TokenId>* tokens) const;
  Status AppendLater(std::string_view text, bool parse_special, std::vector<TokenId>* tokens) const;
  size_t NextCut(std::string_view text) const;
  Status AppendLong(std::string_view text, bool begins, bool add_special, bool parse_special,
                    std::vector<TokenId>* tokens) const;
  Result<std::vector<TokenId>> Encode(std::string_view text, bool begins, bool add_special, bool parse_special) const;
};

// Prepares the cutting of long texts for the tokenizers whose merges are known to be local.
void Tokenizer::Impl::FindCuts() {
  const enum llama_vocab_type type = llama_vocab_type(vocab);
  const std::string model_name = MetaString(model.get(), "tokenizer.ggml.model");
  has_word_pattern = type == LLAMA_VOCAB_TYPE_BPE;
  if (type != LLAMA_VOCAB_TYPE_SPM && !(has_word_pattern && (model_name == "gpt2" || model_name == "gemma4"))) return;

  std::vector<TokenId> probe;
  if (!TokenizeInto(vocab, "a", false, false, &probe) || probe.empty()) return;
  const std::string first = PieceOf(vocab, probe[0], true);
  prefixes_space = !first.starts_with('a');
  if (prefixes_space && !first.starts_with(' ')) return;  // a vocabulary without letters or without the space

  cuts.emplace(has_word_pattern, prefixes_space);
  for (TokenId token = 0; token < llama_vocab_n_tokens(vocab); ++token) {
    const auto attributes = static_cast<unsigned>(llama_vocab_get_attr(vocab, token));
    const bool special =
        (attributes & (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_USER_DEFINED | LLAMA_TOKEN_ATTR_UNKNOWN)) != 0;
    const std::string entry = PieceOf(vocab, token, true);
    const bool strips = (attributes & (LLAMA_TOKEN_ATTR_LSTRIP | LLAMA_TOKEN_ATTR_RSTRIP)) != 0;
    cuts->Add(entry, special, strips);
    if (special) cuts->Add(WithSpaces(entry), false, false);
  }
}

Status Tokenizer::Impl::AppendChunk(std::string_view text, bool add_special, bool parse_special,
                                    std::vector<TokenId>* tokens) const {
  const size_t before = tokens->size();
  Status status;
  const auto tokenize = [&] {
    try {
      status = TokenizeInto(vocab, text, add_special, parse_special, tokens);
    } catch (const std::bad_alloc&) {
      status = Error{ErrorCode::kOutOfMemory, fmt::format("no memory to tokenise {} bytes", text.size())};
    } catch (const std::exception& e) {
      status =
          Error{ErrorCode::kInvalidArgument,
                fmt::format("the model's vocabulary cannot express the text ({}); the file may be damaged", e.what())};
    }
  };
  if (!has_word_pattern || LongestRun(text) <= kDeepRun) {
    tokenize();
  } else if (const Status ran = RunOnBigStack(tokenize); !ran.ok()) {
    return ran;
  }
  if (!status.ok()) tokens->resize(before);
  return status;
}

// A part that does not start the text: takes back the space that the tokenizer puts in front.
Status Tokenizer::Impl::AppendLater(std::string_view text, bool parse_special, std::vector<TokenId>* tokens) const {
  if (!prefixes_space) return AppendChunk(text, false, parse_special, tokens);
  if (text.front() == ' ' && text.size() > 1) return AppendChunk(text.substr(1), false, parse_special, tokens);
  const size_t before = tokens->size();
  Status status = AppendChunk(text, false, parse_special, tokens);
  if (status.ok() && tokens->size() > before && PieceOf(vocab, (*tokens)[before], false) == " ") {
    tokens->erase(tokens->begin() + static_cast<std::ptrdiff_t>(before));
  }
  return status;
}

// How many bytes of a text longer than kChunk to take next.
size_t Tokenizer::Impl::NextCut(std::string_view text) const {
  bool safe = false;
  const size_t first = cuts->Find(text, kChunk, &safe);
  for (size_t limit = 2 * kChunk; !safe; limit *= 2) {
    if (has_word_pattern && LongestRun(text.substr(0, limit)) > kMaxRun) return first;
    if (text.size() <= limit) return text.size();
    const size_t cut = cuts->Find(text, limit, &safe);
    if (safe || limit >= (has_word_pattern ? kMaxPatternChunk : kMaxChunk)) return cut;
  }
  return first;
}

Status Tokenizer::Impl::AppendLong(std::string_view text, bool begins, bool add_special, bool parse_special,
                                   std::vector<TokenId>* tokens) const {
  if (add_special && llama_vocab_get_add_bos(vocab)) tokens->push_back(llama_vocab_bos(vocab));
  bool is_first = begins;
  while (!text.empty()) {
    const size_t size = text.size() <= kChunk ? text.size() : NextCut(text);
    const std::string_view part = text.substr(0, size);
    const Status status =
        is_first ? AppendChunk(part, false, parse_special, tokens) : AppendLater(part, parse_special, tokens);
    if (!status.ok()) return status;
    text.remove_prefix(size);
    is_first = false;
  }
  if (add_special && llama_vocab_get_add_eos(vocab)) tokens->push_back(llama_vocab_eos(vocab));
  return {};
}

Result<std::shared_ptr<Tokenizer>> Tokenizer::Load(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return FileError(ErrorCode::kNotFound, path, "no such file");
  return Open(path, nullptr);
}

Result<std::shared_ptr<Tokenizer>> Tokenizer::Parse(std::span<const std::byte> gguf, const std::string& name) {
  // Opened for reading, so nothing writes to the bytes.
  const FilePtr file(fmemopen(const_cast<std::byte*>(gguf.data()), gguf.size(), "rb"));
  if (file == nullptr) return FileError(ErrorCode::kCorrupt, name, "cannot read the vocabulary: there is none");
  return Open(name, file.get());
}

Result<std::shared_ptr<Tokenizer>> Tokenizer::Open(const std::string& path, std::FILE* file) {
  LlamaErrors errors;
  auto impl = std::make_unique<Impl>();
  try {
    llama_model_params params = llama_model_default_params();
    params.vocab_only = true;
    if (file != nullptr) params.load_mode = LLAMA_LOAD_MODE_NONE;  // no mapping: it lies in memory
    impl->model.reset(file == nullptr ? llama_model_load_from_file(path.c_str(), params)
                                      : llama_model_load_from_file_ptr(file, params));
    if (impl->model == nullptr) {
      return FileError(ErrorCode::kCorrupt, path, "cannot read the vocabulary: " + errors.Text("unknown reason"));
    }
    impl->vocab = llama_model_get_vocab(impl->model.get());
    const enum llama_vocab_type type = llama_vocab_type(impl->vocab);
    impl->kind = KindOf(impl->model.get(), type);
    if (type == LLAMA_VOCAB_TYPE_NONE || llama_vocab_n_tokens(impl->vocab) == 0) {
      return FileError(
          ErrorCode::kUnsupported, path,
          "the file has no vocabulary (tokenizer.ggml.model); convert the model together with its tokenizer");
    }
    if (llama_vocab_get_add_bos(impl->vocab) && llama_vocab_bos(impl->vocab) < 0) {
      return FileError(ErrorCode::kCorrupt, path, "tokenizer.ggml.add_bos_token is set, but there is no bos_token_id");
    }
    if (llama_vocab_get_add_eos(impl->vocab) && llama_vocab_eos(impl->vocab) < 0) {
      return FileError(ErrorCode::kCorrupt, path, "tokenizer.ggml.add_eos_token is set, but there is no eos_token_id");
    }
    impl->FindCuts();
  } catch (const std::exception& e) {
    return FileError(ErrorCode::kCorrupt, path, fmt::format("cannot read the vocabulary: {}", e.what()));
  }
  return std::shared_ptr<Tokenizer>(new Tokenizer(std::move(impl)));
}

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::~Tokenizer() = default;

// begins: nothing comes before `text`.
Result<std::vector<TokenId>> Tokenizer::Impl::Encode(std::string_view text, bool begins, bool add_special,
                                                     bool parse_special) const {
  if (const auto at = FindInvalidUtf8(text)) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("the text is not UTF-8: byte 0x{:02X} at offset {} (convert it, for instance with iconv)",
                             static_cast<unsigned>(static_cast<unsigned char>(text[*at])), *at)};
  }
  if (!cuts && text.size() > std::numeric_limits<int32_t>::max() / 4) {
    return Error{
        ErrorCode::kUnsupported,
        fmt::format("a text of {} bytes is too long for this model's kind of tokenizer, {}", text.size(), kind)};
  }
  try {
    std::vector<TokenId> tokens;
    Status status;
    if (cuts && text.size() > kChunk) {
      status = AppendLong(text, begins, add_special, parse_special, &tokens);
    } else if (begins) {
      status = AppendChunk(text, add_special, parse_special, &tokens);
    } else if (!text.empty()) {
      status = AppendLater(text, parse_special, &tokens);
    }
    if (!status.ok()) return status.error();
    return tokens;
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kOutOfMemory, fmt::format("no memory for the tokens of {} bytes of text", text.size())};
  }
}

Result<std::vector<TokenId>> Tokenizer::Encode(std::string_view text, bool add_special, bool parse_special) const {
  return impl_->Encode(text, /*begins=*/true, add_special, parse_special);
}

Result<std::vector<TokenId>> Tokenizer::EncodeNext(std::string_view text, bool parse_special) const {
  return impl_->Encode(text, /*begins=*/false, /*add_special=*/false, parse_special);
}

size_t Tokenizer::FindCut(std::string_view text, size_t limit, bool* safe) const {
  static const TextCuts kNowhere(/*has_word_pattern=*/false, /*prefixes_space=*/false);
  const size_t cut = (impl_->cuts ? *impl_->cuts : kNowhere).Find(text, limit, safe);
  *safe = *safe && impl_->cuts.has_value();
  return cut;
}

std::string Tokenizer::Decode(std::span<const TokenId> tokens) const {
  std::string text;
  for (const TokenId token : tokens) text += Piece(token);
  return text;
}

std::string Tokenizer::Piece(TokenId token, bool show_control) const {
  return PieceOf(impl_->vocab, token, show_control);
}

bool Tokenizer::IsEndOfGeneration(TokenId token) const {
  return token >= 0 && token < vocabulary() && llama_vocab_is_eog(impl_->vocab, token);
}

bool Tokenizer::IsControl(TokenId token) const {
  return token >= 0 && token < vocabulary() && llama_vocab_is_control(impl_->vocab, token);
}

TokenId Tokenizer::bos() const { return llama_vocab_bos(impl_->vocab); }
TokenId Tokenizer::eos() const { return llama_vocab_eos(impl_->vocab); }
bool Tokenizer::adds_bos() const { return llama_vocab_get_add_bos(impl_->vocab); }
bool Tokenizer::adds_eos() const { return llama_vocab_get_add_eos(impl_->vocab); }
int64_t Tokenizer::vocabulary() const { return llama_vocab_n_tokens(impl_->vocab); }
const std::string& Tokenizer::kind() const { return impl_->kind; }
const llama_model* Tokenizer::model() const { return impl_->model.get(); }
const llama_vocab* Tokenizer::vocab() const { return impl_->vocab; }

}  // namespace ltri
