// Engine: a model's weights, tokenizer and threads, and the one place where steps run.
#ifndef LTRI_ENGINE_ENGINE_H_
#define LTRI_ENGINE_ENGINE_H_

#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "attention/method.h"
#include "base/thread_pool.h"
#include "ltri/model.h"
#include "model/decoder.h"
#include "model/rope_tables.h"
#include "text/chat_format.h"
#include "text/tokenizer.h"
#include "weights/gguf_model.h"

namespace ltri {

class Engine {
 public:
  Engine(std::string path, LoadedModel loaded, std::shared_ptr<Tokenizer> tokenizer, int threads);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Runs one step; callers on other threads wait. Error kOutOfMemory.
  Status Step(std::span<Slice> slices);

  // Method::Stretch with the engine's threads. Error kOutOfMemory.
  Status Stretch(Method& method, int64_t tokens);

  const ModelInfo& info() const { return info_; }
  const ModelConfig& config() const { return loaded_.config; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  int threads() const { return pool_.threads(); }
  MethodContext method_context() { return {&loaded_.config, &ropes_}; }

  // Made at first use: most sessions need none.
  Result<std::shared_ptr<ChatFormat>> chat_format();

 private:
  LoadedModel loaded_;
  std::shared_ptr<Tokenizer> tokenizer_;
  ModelInfo info_;
  RopeTables ropes_;
  Decoder decoder_;
  ThreadPool pool_;
  std::mutex step_mutex_;
  std::mutex chat_mutex_;
  std::shared_ptr<ChatFormat> chat_format_;
};

}  // namespace ltri

#endif  // LTRI_ENGINE_ENGINE_H_
