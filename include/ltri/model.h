// Model: a loaded GGUF file, or folder with safetensors files, with its tokenizer and the threads that run it.
#ifndef LTRI_MODEL_H_
#define LTRI_MODEL_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ltri/export.h"
#include "ltri/options.h"
#include "ltri/result.h"

namespace ltri {

class Engine;

struct ModelOptions {
  int threads = 0;             // 0: one a core
  std::string device = "cpu";  // or "cuda", in a build that has it: the first card
  int64_t device_memory = 0;   // bytes of the card for keys and values, the rest goes to RAM; 0: what the weights leave
};

struct ModelInfo {
  std::string path;
  std::string name;          // from the file; may be empty
  std::string architecture;  // "llama", "qwen2", ...
  int64_t layers = 0;
  int64_t heads = 0;  // query heads of a layer
  int64_t kv_heads = 0;
  int64_t head_dim = 0;
  int64_t vocabulary = 0;       // tokens
  int64_t trained_context = 0;  // tokens
  int64_t weight_bytes = 0;
  std::vector<bool> full_attention;  // [layers]; false: a sliding-window layer
  uint64_t weights_id = 0;           // the same for every quantisation of one model
  // [layers * heads] how much each head copies from the text: from the file beside the model that `ltri head-profile`
  // writes, or shipped. Empty: not known.
  std::vector<float> head_table;
};

struct ChatMessage {
  std::string role;  // "system", "user", "assistant"
  std::string content;
};

// Thread-safe: sessions of one model may be used from several threads; their steps take turns.
class LTRI_API Model {
 public:
  // `name_or_path`: a GGUF file, a folder with config.json, tokenizer.json and safetensors files, or the name of a
  // model in the folder where `ltri pull` puts them.
  // Errors: kNotFound, kCorrupt, kUnsupported, kInvalidArgument (threads, device), kOutOfMemory, each naming what is
  // wrong.
  static Result<std::shared_ptr<Model>> Load(const std::string& name_or_path, const ModelOptions& options = {});

  explicit Model(std::unique_ptr<Engine> engine);  // for Load
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const ModelInfo& info() const;

  // Token ids of UTF-8 text. begin: put the model's beginning-of-text token first. control: read "<|im_start|>" and its
  // like as control tokens. Error kInvalidArgument when the text is not UTF-8.
  Result<std::vector<TokenId>> Tokenize(std::string_view text, bool begin, bool control) const;
  std::string Detokenize(std::span<const TokenId> tokens) const;

  // A conversation as the text the model was trained to continue; to be tokenized with control = true.
  // Error kUnsupported when the file has no chat template.
  Result<std::string> FormatChat(std::span<const ChatMessage> messages) const;
  // What to append to a session that has read `seen`, for the model to answer `next`.
  Result<std::string> FormatChatNext(std::span<const ChatMessage> seen, const ChatMessage& next) const;

  Engine& engine() const { return *engine_; }  // internal

 private:
  std::unique_ptr<Engine> engine_;
};

}  // namespace ltri

#endif  // LTRI_MODEL_H_
