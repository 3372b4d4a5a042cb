#include "ltri/model.h"

#include <fmt/format.h>

#include <thread>

#include "engine/engine.h"
#include "weights/gguf_vocabulary.h"
#include "weights/model_file.h"
#include "weights/model_store.h"

namespace ltri {
namespace {

constexpr int kMostThreads = 1024;

}  // namespace

Result<std::shared_ptr<Model>> Model::Load(const std::string& name_or_path, const ModelOptions& options) {
  if (options.threads < 0 || options.threads > kMostThreads) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("threads is {}, but must be 1 to {} (or 0 for one a core)",
                                                          options.threads, kMostThreads)};
  }
  if (options.device != "cpu" && options.device != "cuda") {
    return Error{ErrorCode::kInvalidArgument, fmt::format("device is '{}', but must be cpu or cuda", options.device)};
  }
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  Result<std::string> path = ResolveModel(name_or_path);
  if (!path.ok()) return path.error();
  Result<GgufFile> file = OpenModelFile(*path);
  if (!file.ok()) return file.error();
  Result<LoadedModel> loaded = LoadGguf(*file);
  if (!loaded.ok()) return loaded.error();
  if (Status status = CheckVocabulary(*file); !status.ok()) return status.error();
  Result<std::shared_ptr<Tokenizer>> tokenizer =
      file->is_gguf() ? Tokenizer::Load(*path) : Tokenizer::Parse(file->header(), *path);
  if (!tokenizer.ok()) return tokenizer.error();
  if ((*tokenizer)->vocabulary() > loaded->config.vocabulary) {
    return Error{ErrorCode::kCorrupt, fmt::format("{}: the tokenizer has {} tokens, but the embedding only {} rows",
                                                  *path, (*tokenizer)->vocabulary(), loaded->config.vocabulary)};
  }
  auto engine =
      std::make_unique<Engine>(*path, std::move(*loaded), *tokenizer, options.threads == 0 ? cores : options.threads);
  if (Status status = engine->FindHeads(); !status.ok()) return status.error();
  if (options.device == "cuda") {
    if (Status status = engine->MoveToCuda(options.device_memory); !status.ok()) return status.error();
  }
  return std::make_shared<Model>(std::move(engine));
}

Model::Model(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
Model::~Model() = default;

const ModelInfo& Model::info() const { return engine_->info(); }

Result<std::vector<TokenId>> Model::Tokenize(std::string_view text, bool begin, bool control) const {
  return engine_->tokenizer().Encode(text, begin, control);
}

std::string Model::Detokenize(std::span<const TokenId> tokens) const { return engine_->tokenizer().Decode(tokens); }

Result<std::string> Model::FormatChat(std::span<const ChatMessage> messages) const {
  Result<std::shared_ptr<ChatFormat>> format = engine_->chat_format();
  if (!format.ok()) return format.error();
  return (*format)->Format(messages, /*add_generation_prompt=*/true);
}

Result<std::string> Model::FormatChatNext(std::span<const ChatMessage> seen, const ChatMessage& next) const {
  Result<std::shared_ptr<ChatFormat>> format = engine_->chat_format();
  if (!format.ok()) return format.error();
  return (*format)->FormatNext(seen, next);
}

}  // namespace ltri
