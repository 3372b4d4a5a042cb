#include "ltri/session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <new>

#include "engine/session_impl.h"
#include "spans/span.h"

namespace ltri {
namespace {

// A working set that the machine cannot hold is refused before anything is read.
Status CheckMemory(const ModelConfig& config, const SessionOptions& options) {
  const double machine = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  const double tokens = static_cast<double>(options.sinks) + static_cast<double>(options.window) +
                        static_cast<double>(options.budget) + static_cast<double>(options.block);
  // 16-bit keys and values of all layers, and one layer's as floats.
  const double bytes =
      tokens * static_cast<double>(config.kv_heads * config.head_dim) * 2 * static_cast<double>(2 * config.layers + 4);
  if (bytes <= machine) return {};
  return Error{ErrorCode::kOutOfMemory,
               fmt::format("sinks {} + window {} + budget {} + block {} need {:.1f} GB for keys and values, but the "
                           "machine has {:.1f} GB",
                           options.sinks, options.window, options.budget, options.block, bytes / 1e9, machine / 1e9)};
}

}  // namespace

Result<Session> Session::Create(std::shared_ptr<Model> model, const SessionOptions& options) {
  if (Status status = CheckMemory(model->engine().config(), options); !status.ok()) return status.error();
  Result<std::shared_ptr<Tier>> tier = Impl::MakeTier(options);
  if (!tier.ok()) return tier.error();
  Result<std::unique_ptr<Impl>> impl = Impl::Open(std::move(model), options, std::move(*tier));
  if (!impl.ok()) return impl.error();
  return Session(std::move(*impl));
}

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

Status Session::Append(std::string_view text, const ProgressCallback& progress) {
  Result<std::vector<TokenId>> tokens = impl_->model()->Tokenize(text, impl_->tokens().empty(), /*control=*/false);
  if (!tokens.ok()) return tokens.error();
  return Append(*tokens, progress);
}

Status Session::Append(std::span<const TokenId> tokens, const ProgressCallback& progress) {
  return impl_->Append(tokens, progress);
}

Status Session::FinishPrompt(const ProgressCallback& progress) {
  if (impl_->tokens().empty()) {
    return Error{ErrorCode::kInvalidArgument, "the prompt is empty: append a text first"};
  }
  return impl_->FinishPrompt(progress);
}

Result<std::vector<float>> Session::NextLogits() {
  if (Status status = FinishPrompt(); !status.ok()) return status.error();
  if (!impl_->HasLogits()) {
    Slice slice = impl_->DecodeSlice();
    if (Status status = impl_->engine().Step({&slice, 1}); !status.ok()) return status.error();
    impl_->Decoded();
  }
  return impl_->logits();
}

Status Session::Truncate(int64_t tokens) { return impl_->Truncate(tokens); }

Result<Session> Session::Fork() const {
  Result<std::unique_ptr<Impl>> copy = impl_->Fork();
  if (!copy.ok()) return copy.error();
  return Session(std::move(*copy));
}

const std::vector<TokenId>& Session::tokens() const { return impl_->tokens(); }
const SessionOptions& Session::options() const { return impl_->options(); }

std::vector<TokenRange> Session::Visible(int64_t layer, int64_t head) const {
  std::vector<TokenRange> visible;
  const Status seen = impl_->engine().Run([&](ThreadPool& /*pool*/) {
    visible = impl_->method().Visible(layer, head);
    return Status();
  });
  return seen.ok() ? visible : std::vector<TokenRange>();
}

std::vector<SpanInfo> Session::Spans(int64_t layer) const {
  std::vector<SpanInfo> infos;
  for (const Span& span : impl_->method().Spans(layer))
    infos.push_back({span.begin, span.end, span.score, span.confidence});
  return infos;
}

bool Session::RecordBand(int64_t layer, TokenRange tokens) { return impl_->method().RecordBand(layer, tokens); }
const BandRecord& Session::band() const { return impl_->method().band(); }

MemoryUse Session::memory() const { return impl_->method().memory(); }

}  // namespace ltri
