#include "llama_peer.h"

#include <llama.h>

#include <algorithm>
#include <stdexcept>

namespace ltri::bench {
namespace {

constexpr int kBlock = 512;

llama_context_params ContextParams(int64_t tokens, int threads) {
  llama_context_params params = llama_context_default_params();
  params.n_ctx = static_cast<uint32_t>(tokens);
  params.n_batch = kBlock;
  params.n_ubatch = kBlock;
  params.n_threads = threads;
  params.n_threads_batch = threads;
  params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
  params.no_perf = true;
  return params;
}

}  // namespace

struct LlamaPeer::State {
  llama_model* model = nullptr;
  llama_context* context = nullptr;
  llama_batch batch = llama_batch_init(kBlock, 0, 1);
  llama_pos position = 0;

  ~State() {
    llama_batch_free(batch);
    if (context != nullptr) llama_free(context);
    if (model != nullptr) llama_model_free(model);
  }
};

LlamaPeer::LlamaPeer(const std::string& path, int64_t context, int threads) : state_(std::make_unique<State>()) {
  llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  llama_backend_init();
  state_->model = llama_model_load_from_file(path.c_str(), llama_model_default_params());
  if (state_->model == nullptr) throw std::runtime_error("llama.cpp cannot load " + path);
  state_->context = llama_init_from_model(state_->model, ContextParams(context, threads));
  if (state_->context == nullptr) throw std::runtime_error("llama.cpp has no context for " + path);
}

LlamaPeer::~LlamaPeer() = default;

void LlamaPeer::Begin() {
  llama_memory_clear(llama_get_memory(state_->context), /*data=*/false);
  state_->position = 0;
}

void LlamaPeer::Read(std::span<const int32_t> tokens) {
  State& s = *state_;
  for (size_t begin = 0; begin < tokens.size(); begin += kBlock) {
    const size_t count = std::min<size_t>(kBlock, tokens.size() - begin);
    s.batch.n_tokens = static_cast<int32_t>(count);
    for (size_t i = 0; i < count; ++i) {
      s.batch.token[i] = tokens[begin + i];
      s.batch.pos[i] = s.position++;
      s.batch.n_seq_id[i] = 1;
      s.batch.seq_id[i][0] = 0;
      s.batch.logits[i] = begin + i + 1 == tokens.size() ? 1 : 0;
    }
    if (llama_decode(s.context, s.batch) != 0) throw std::runtime_error("llama_decode failed");
  }
  llama_synchronize(s.context);
  if (llama_get_logits_ith(s.context, -1) == nullptr) throw std::runtime_error("llama.cpp has no logits");
}

}  // namespace ltri::bench
