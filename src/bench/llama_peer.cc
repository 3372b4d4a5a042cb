#include "bench/llama_peer.h"

#include <fmt/format.h>
#include <llama.h>

#include <algorithm>
#include <utility>

#include "base/stopwatch.h"
#include "bench/llama_state.h"
#include "text/llama_log.h"

namespace ltri {
namespace {

constexpr int32_t kBatch = 2048;

struct FreeModel {
  void operator()(llama_model* model) const { llama_model_free(model); }
};
struct FreeContext {
  void operator()(llama_context* context) const { llama_free(context); }
};
using Context = std::unique_ptr<llama_context, FreeContext>;

}  // namespace

struct LlamaPeer::State {
  std::unique_ptr<llama_model, FreeModel> model;
  Context context;  // of GoTo; null: none
  int threads = 1;
  StopCheck stop;
  std::vector<uint8_t> saved;  // a sequence that has read a long text
  int64_t saved_tokens = 0;
  std::vector<float> logits;

  static bool Aborts(void* self) {
    const StopCheck& stop = static_cast<State*>(self)->stop;
    return stop && stop();
  }

  Result<Context> Open(int64_t tokens) {
    const LlamaErrors errors;
    llama_context_params params = llama_context_default_params();
    params.n_ctx = static_cast<uint32_t>(tokens);
    params.n_batch = kBatch;
    params.n_threads = threads;
    params.n_threads_batch = threads;
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
    params.swa_full = false;  // as its programs have it
    params.abort_callback = Aborts;
    params.abort_callback_data = this;
    Context made(llama_init_from_model(model.get(), params));
    if (made != nullptr) return made;
    return Error{ErrorCode::kOutOfMemory,
                 fmt::format("llama.cpp has no room for {} tokens: {}", tokens, errors.Text("it does not say why"))};
  }

  // Reads on from `position`, up to the logits after the last token.
  Status Read(llama_context* into, std::span<const TokenId> tokens, int64_t position) {
    const LlamaErrors errors;
    llama_batch batch = llama_batch_init(kBatch, 0, 1);
    int32_t failed = 0;
    for (size_t begin = 0; begin < tokens.size() && failed == 0; begin += kBatch) {
      const size_t count = std::min<size_t>(kBatch, tokens.size() - begin);
      batch.n_tokens = static_cast<int32_t>(count);
      for (size_t i = 0; i < count; ++i) {
        batch.token[i] = tokens[begin + i];
        batch.pos[i] = static_cast<llama_pos>(position++);
        batch.n_seq_id[i] = 1;
        batch.seq_id[i][0] = 0;
        batch.logits[i] = begin + i + 1 == tokens.size() ? 1 : 0;
      }
      failed = llama_decode(into, batch);
    }
    llama_batch_free(batch);
    llama_synchronize(into);
    if (failed == 2) return Error{ErrorCode::kCancelled, "stopped while llama.cpp was reading"};
    if (failed != 0 || llama_get_logits_ith(into, -1) == nullptr) {
      return Error{ErrorCode::kUnsupported,
                   "llama.cpp cannot read the text: " + errors.Text(fmt::format("code {}", failed))};
    }
    return {};
  }

  void KeepLogits(llama_context* from) {
    const float* first = llama_get_logits_ith(from, -1);
    logits.assign(first, first + llama_vocab_n_tokens(llama_model_get_vocab(model.get())));
  }
};

LlamaPeer::LlamaPeer(std::unique_ptr<State> state, const SessionCost& cost) : state_(std::move(state)), cost_(cost) {}
LlamaPeer::~LlamaPeer() = default;

Result<std::unique_ptr<LlamaPeer>> LlamaPeer::Load(const std::string& path, int threads, const SessionCost& cost,
                                                   StopCheck stop) {
  const LlamaErrors errors;
  auto state = std::make_unique<State>();
  state->model.reset(llama_model_load_from_file(path.c_str(), llama_model_default_params()));
  if (state->model == nullptr) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("llama.cpp cannot load {}: {}; leave --peer away", path, errors.Text("no reason given"))};
  }
  state->threads = threads;
  state->stop = std::move(stop);
  return std::unique_ptr<LlamaPeer>(new LlamaPeer(std::move(state), cost));
}

Result<double> LlamaPeer::Read(std::span<const TokenId> text) {
  Result<Context> context = state_->Open(static_cast<int64_t>(text.size()));
  if (!context.ok()) return context.error();
  const Stopwatch watch;
  if (Status status = state_->Read(context->get(), text, 0); !status.ok()) return status.error();
  const double seconds = watch.Seconds();
  state_->KeepLogits(context->get());
  return seconds;
}

// Reads a text once and keeps what a context of any size can be filled with.
Status LlamaPeer::Save(std::span<const TokenId> text) {
  Result<Context> context = state_->Open(static_cast<int64_t>(text.size()));
  if (!context.ok()) return context.error();
  if (Status status = state_->Read(context->get(), text, 0); !status.ok()) return status;
  state_->saved.resize(llama_state_seq_get_size(context->get(), 0));
  state_->saved.resize(llama_state_seq_get_data(context->get(), state_->saved.data(), state_->saved.size(), 0));
  state_->saved_tokens = static_cast<int64_t>(text.size());
  return {};
}

Status LlamaPeer::GoTo(std::span<const TokenId> text, int64_t depth, int64_t room) {
  state_->context.reset();
  depth_ = depth;
  const auto length = static_cast<int64_t>(text.size());
  if (depth >= length && state_->saved_tokens != length) {
    if (Status status = Save(text); !status.ok()) return status;
  }
  Result<Context> context = state_->Open(depth + room);
  if (!context.ok()) return context.error();
  if (depth > 0 && depth < length) {
    const auto begin = text.first(static_cast<size_t>(depth));
    if (Status status = state_->Read(context->get(), begin, 0); !status.ok()) return status;
  } else if (depth > 0) {
    const Result<std::vector<uint8_t>> longer = StretchLlamaState(state_->saved, depth);
    if (!longer.ok()) return longer.error();
    if (llama_state_seq_set_data(context->get(), longer->data(), longer->size(), 0) == 0) {
      return Error{ErrorCode::kUnsupported, fmt::format("llama.cpp does not take a state of {} tokens", depth)};
    }
  }
  state_->context = std::move(*context);
  return {};
}

Result<double> LlamaPeer::Decode(std::span<const TokenId> tokens) {
  llama_context* context = state_->context.get();
  Stopwatch watch;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Status status = state_->Read(context, tokens.subspan(i, 1), depth_ + static_cast<int64_t>(i));
    if (!status.ok()) return status.error();
    if (i == 0) watch = Stopwatch();
  }
  const double seconds = watch.Seconds();
  state_->KeepLogits(context);
  llama_memory_seq_rm(llama_get_memory(context), 0, static_cast<llama_pos>(depth_), -1);
  return seconds;
}

void LlamaPeer::Release() {
  state_->context.reset();
  state_->saved = {};
  state_->saved_tokens = 0;
}

std::vector<float> LlamaPeer::Logits() const { return state_->logits; }

}  // namespace ltri
