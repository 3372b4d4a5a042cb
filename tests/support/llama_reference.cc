#include "support/llama_reference.h"

#include <llama.h>

#include <algorithm>
#include <stdexcept>

namespace ltri::testing {
namespace {

constexpr int kBatch = 512;

// What llama.cpp last complained of; it prints nothing itself.
std::string& LastComplaint() {
  static std::string complaint;
  return complaint;
}

void InitOnce() {
  static const bool done = [] {
    llama_log_set(
        [](ggml_log_level level, const char* text, void*) {
          if (level == GGML_LOG_LEVEL_ERROR) LastComplaint() += text;
        },
        nullptr);
    llama_backend_init();
    return true;
  }();
  (void)done;
}

llama_context_params ContextParams(int context, int threads) {
  llama_context_params params = llama_context_default_params();
  params.n_ctx = static_cast<uint32_t>(context);
  params.n_batch = kBatch;
  params.n_ubatch = kBatch;
  params.n_threads = threads;
  params.n_threads_batch = threads;
  params.type_k = GGML_TYPE_F32;
  params.type_v = GGML_TYPE_F32;
  params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
  params.no_perf = true;
  return params;
}

}  // namespace

struct LlamaReference::State {
  llama_model* model = nullptr;
  llama_context* context = nullptr;
  const llama_vocab* vocab = nullptr;
  llama_pos position = 0;

  ~State() {
    if (context != nullptr) llama_free(context);
    if (model != nullptr) llama_model_free(model);
  }
};

LlamaReference::LlamaReference(const std::string& path, int context, int threads) : state_(std::make_unique<State>()) {
  InitOnce();
  llama_model_params params = llama_model_default_params();
  params.use_extra_bufts = false;  // weights as they are in the file, not repacked
  LastComplaint().clear();
  state_->model = llama_model_load_from_file(path.c_str(), params);
  if (state_->model == nullptr) throw std::runtime_error("llama.cpp cannot load " + path + ": " + LastComplaint());
  state_->context = llama_init_from_model(state_->model, ContextParams(context, threads));
  if (state_->context == nullptr) throw std::runtime_error("llama.cpp has no context for " + path);
  state_->vocab = llama_model_get_vocab(state_->model);
}

LlamaReference::~LlamaReference() = default;

int LlamaReference::vocabulary() const { return llama_vocab_n_tokens(state_->vocab); }

std::vector<int32_t> LlamaReference::Tokenize(const std::string& text, bool add_special) const {
  std::vector<int32_t> tokens(text.size() + 8);
  const int count = llama_tokenize(state_->vocab, text.data(), static_cast<int32_t>(text.size()), tokens.data(),
                                   static_cast<int32_t>(tokens.size()), add_special, /*parse_special=*/true);
  if (count < 0) throw std::runtime_error("llama.cpp cannot tokenize");
  tokens.resize(static_cast<size_t>(count));
  return tokens;
}

std::string LlamaReference::Piece(int32_t token) const {
  std::string piece(256, '\0');
  const int size = llama_token_to_piece(state_->vocab, token, piece.data(), static_cast<int32_t>(piece.size()), 0,
                                        /*special=*/true);
  piece.resize(static_cast<size_t>(std::max(0, size)));
  return piece;
}

void LlamaReference::Reset() {
  llama_memory_clear(llama_get_memory(state_->context), true);
  state_->position = 0;
}

std::vector<std::vector<float>> LlamaReference::Append(const std::vector<int32_t>& tokens) {
  std::vector<std::vector<float>> logits;
  const auto width = static_cast<size_t>(vocabulary());
  for (size_t begin = 0; begin < tokens.size(); begin += kBatch) {
    const size_t count = std::min<size_t>(kBatch, tokens.size() - begin);
    llama_batch batch = llama_batch_init(static_cast<int32_t>(count), 0, 1);
    batch.n_tokens = static_cast<int32_t>(count);
    for (size_t i = 0; i < count; ++i) {
      batch.token[i] = tokens[begin + i];
      batch.pos[i] = state_->position++;
      batch.n_seq_id[i] = 1;
      batch.seq_id[i][0] = 0;
      batch.logits[i] = 1;
    }
    const int failed = llama_decode(state_->context, batch);
    llama_batch_free(batch);
    if (failed != 0) throw std::runtime_error("llama_decode failed");
    for (size_t i = 0; i < count; ++i) {
      const float* row = llama_get_logits_ith(state_->context, static_cast<int32_t>(i));
      logits.emplace_back(row, row + width);
    }
  }
  return logits;
}

std::vector<float> LlamaReference::AppendForLast(const std::vector<int32_t>& tokens) {
  std::vector<int32_t> rest = tokens;
  for (size_t begin = 0; begin < rest.size(); begin += kBatch) {
    const size_t count = std::min<size_t>(kBatch, rest.size() - begin);
    const llama_batch batch = llama_batch_get_one(rest.data() + begin, static_cast<int32_t>(count));
    if (llama_decode(state_->context, batch) != 0) throw std::runtime_error("llama_decode failed");
    state_->position += static_cast<llama_pos>(count);
  }
  const float* row = llama_get_logits_ith(state_->context, -1);
  return {row, row + vocabulary()};
}

std::vector<std::vector<float>> LlamaReference::Logits(const std::vector<int32_t>& tokens, int64_t prompt) {
  Reset();
  std::vector<std::vector<float>> logits = Append({tokens.begin(), tokens.begin() + prompt});
  for (auto token = tokens.begin() + prompt; token != tokens.end(); ++token) logits.push_back(Append({*token})[0]);
  return logits;
}

std::vector<int32_t> LlamaReference::Greedy(const std::vector<int32_t>& prompt, int count,
                                            std::vector<std::vector<float>>* logits) {
  Reset();
  std::vector<int32_t> chosen;
  std::vector<float> last = AppendForLast(prompt);
  while (static_cast<int>(chosen.size()) < count) {
    chosen.push_back(static_cast<int32_t>(std::max_element(last.begin(), last.end()) - last.begin()));
    if (logits != nullptr) logits->push_back(last);
    if (static_cast<int>(chosen.size()) < count) last = AppendForLast({chosen.back()});
  }
  return chosen;
}

}  // namespace ltri::testing
