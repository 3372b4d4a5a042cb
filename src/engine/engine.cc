#include "engine/engine.h"

#include <new>
#include <utility>

#include "attention/registry.h"
#include "weights/head_table.h"

namespace ltri {
namespace {

ModelInfo Describe(std::string path, const LoadedModel& loaded) {
  const ModelConfig& config = loaded.config;
  ModelInfo info;
  info.path = std::move(path);
  info.name = config.name;
  info.architecture = config.architecture;
  info.layers = config.layers;
  info.heads = config.heads;
  info.kv_heads = config.kv_heads;
  info.head_dim = config.head_dim;
  info.vocabulary = config.vocabulary;
  info.trained_context = config.trained_context;
  const auto add = [&](const Matrix& matrix) { info.weight_bytes += matrix.rows * matrix.row_bytes; };
  add(loaded.weights.embedding);
  if (loaded.weights.output.data != loaded.weights.embedding.data) add(loaded.weights.output);
  for (const LayerWeights& layer : loaded.weights.layers) {
    for (const Matrix* matrix : {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down}) {
      add(*matrix);
    }
  }
  for (int64_t layer = 0; layer < config.layers; ++layer) info.full_attention.push_back(!config.IsSliding(layer));
  info.weights_id = WeightsId(loaded.weights);
  return info;
}

}  // namespace

Engine::Engine(std::string path, LoadedModel loaded, std::shared_ptr<Tokenizer> tokenizer, int threads)
    : loaded_(std::move(loaded)),
      tokenizer_(std::move(tokenizer)),
      info_(Describe(std::move(path), loaded_)),
      ropes_(loaded_.config),
      decoder_(loaded_.config, loaded_.weights),
      pool_(threads) {}

Status Engine::FindHeads() {
  Result<std::vector<float>> table = FindHeadTable(info_);
  if (!table.ok()) return table.error();
  info_.head_table = std::move(*table);
  return {};
}

Status Engine::MoveToCuda(int64_t memory) {
  Result<std::unique_ptr<DeviceEngine>> device = MakeCudaEngine(loaded_, memory);
  if (!device.ok()) return device.error();
  device_ = std::move(*device);
  return {};
}

Result<std::unique_ptr<Method>> Engine::MakeMethod(const SessionOptions& options, std::shared_ptr<Tier> tier) {
  if (device_ != nullptr) {
    const std::lock_guard<std::mutex> lock(step_mutex_);
    return device_->MakeMethod(options);
  }
  return ltri::MakeMethod(method_context(std::move(tier)), options);
}

Status Engine::Step(std::span<Slice> slices) {
  std::lock_guard<std::mutex> lock(step_mutex_);
  try {
    return device_ != nullptr ? device_->Step(pool_, slices) : decoder_.Step(pool_, slices);
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kOutOfMemory, "out of memory while reading; use a smaller --budget, --window or --block"};
  }
}

Status Engine::Run(const std::function<Status(ThreadPool&)>& work) {
  std::lock_guard<std::mutex> lock(step_mutex_);
  try {
    return work(pool_);
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kOutOfMemory, "out of memory while a text was kept or brought back; give it less"};
  }
}

Result<std::shared_ptr<ChatFormat>> Engine::chat_format() {
  std::lock_guard<std::mutex> lock(chat_mutex_);
  if (chat_format_ == nullptr) {
    Result<std::shared_ptr<ChatFormat>> made = ChatFormat::Create(tokenizer_);
    if (!made.ok()) return made.error();
    chat_format_ = *made;
  }
  return chat_format_;
}

}  // namespace ltri
