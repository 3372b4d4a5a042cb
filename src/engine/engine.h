// Engine: a model's weights, tokenizer and threads, and the one place where steps run.
#ifndef LTRI_ENGINE_ENGINE_H_
#define LTRI_ENGINE_ENGINE_H_

#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "attention/method.h"
#include "base/thread_pool.h"
#include "engine/device_engine.h"
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

  // Looks for the model's head table. Error kCorrupt: that beside the model is not its own.
  Status FindHeads();
  // From here on everything runs on the first CUDA card. Before the first session. memory: of ModelOptions. Errors
  // kUnsupported, kOutOfMemory.
  Status MoveToCuda(int64_t memory);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Runs one step; callers on other threads wait. Error kOutOfMemory.
  Status Step(std::span<Slice> slices);

  // Calls work with the engine's threads, between steps: whatever touches what a method has on a device has to, since a
  // step may be recording what is queued there. Errors: work's own, kOutOfMemory.
  Status Run(const std::function<Status(ThreadPool&)>& work);

  const ModelInfo& info() const { return info_; }
  const ModelConfig& config() const { return loaded_.config; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  const std::shared_ptr<Tokenizer>& shared_tokenizer() const { return tokenizer_; }
  int threads() const { return pool_.threads(); }
  // tier: see MethodContext.
  MethodContext method_context(std::shared_ptr<Tier> tier = nullptr) {
    return {&loaded_.config, &ropes_, std::move(tier)};
  }
  // Errors as ltri::MakeMethod's, and kUnsupported for what the device does not do. A device has tiers of its own.
  Result<std::unique_ptr<Method>> MakeMethod(const SessionOptions& options, std::shared_ptr<Tier> tier = nullptr);

  // Made at first use: most sessions need none.
  Result<std::shared_ptr<ChatFormat>> chat_format();

 private:
  LoadedModel loaded_;
  std::shared_ptr<Tokenizer> tokenizer_;
  ModelInfo info_;
  RopeTables ropes_;
  Decoder decoder_;
  std::unique_ptr<DeviceEngine> device_;  // null: the CPU
  ThreadPool pool_;
  std::mutex step_mutex_;
  std::mutex chat_mutex_;
  std::shared_ptr<ChatFormat> chat_format_;
};

}  // namespace ltri

#endif  // LTRI_ENGINE_ENGINE_H_
