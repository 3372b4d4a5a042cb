#include "bench/session_contender.h"

#include <fmt/format.h>

#include "base/half.h"
#include "base/stopwatch.h"

namespace ltri {
namespace {

Status Step(Session::Impl& session) {
  Slice slice = session.DecodeSlice();
  if (Status status = session.engine().Step({&slice, 1}); !status.ok()) return status;
  session.Decoded();
  return {};
}

// Keys and values that the last token saw, in all layers.
int64_t CountBytesSeen(const Session::Impl& session) {
  const ModelConfig& config = session.engine().config();
  const int64_t per_kv = config.heads / config.kv_heads;
  int64_t tokens = 0;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    for (int64_t head = 0; head < config.heads; head += per_kv) {
      for (const TokenRange& range : session.method().Visible(layer, head)) tokens += range.count();
    }
  }
  return tokens * 2 * config.head_dim * static_cast<int64_t>(sizeof(Half));
}

}  // namespace

Result<SessionContender::Text> SessionContender::Open() const {
  Result<std::shared_ptr<Tier>> tier = Session::Impl::MakeTier(options_);
  if (!tier.ok()) return tier.error();
  return Session::Impl::Open(model_, options_, std::move(*tier));
}

Status SessionContender::Fill(Session::Impl& session, std::span<const TokenId> text) const {
  const ProgressCallback go_on = [this](const Progress&) { return !stop_ || !stop_(); };
  if (Status status = session.Append(text, go_on); !status.ok()) return status;
  if (Status status = session.FinishPrompt(go_on); !status.ok()) return status;
  return Step(session);
}

Result<double> SessionContender::Read(std::span<const TokenId> text) {
  Result<Text> session = Open();
  if (!session.ok()) return session.error();
  const Stopwatch watch;
  if (Status status = Fill(**session, text); !status.ok()) return status.error();
  const double seconds = watch.Seconds();
  detection_share_ = (*session)->method().detection_seconds() / (seconds * model_->engine().threads());
  return seconds;
}

Status SessionContender::GoTo(std::span<const TokenId> text, int64_t depth, int64_t /*room*/) {
  at_.reset();
  if (depth == 0) return {};
  const auto length = static_cast<int64_t>(text.size());
  if (depth < length || read_ == nullptr) {
    Result<Text> session = Open();
    if (!session.ok()) return session.error();
    const auto needed = text.first(static_cast<size_t>(std::min(depth, length)));
    if (Status status = Fill(**session, needed); !status.ok()) return status;
    (depth < length ? at_ : read_) = std::move(*session);
    if (depth < length) return {};
  }
  Result<Text> fork = read_->Fork();
  if (!fork.ok()) return fork.error();
  at_ = std::move(*fork);
  return depth > length ? at_->Stretch(depth) : Status();
}

Result<double> SessionContender::Decode(std::span<const TokenId> tokens) {
  Result<Text> session = at_ == nullptr ? Open() : at_->Fork();
  if (!session.ok()) return session.error();
  Stopwatch watch;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (stop_ && stop_()) return Error{ErrorCode::kCancelled, "stopped while decoding"};
    (*session)->Add(tokens[i]);
    if (Status status = Step(**session); !status.ok()) return status.error();
    if (i == 0) watch = Stopwatch();
  }
  const double seconds = watch.Seconds();
  bytes_seen_ = CountBytesSeen(**session);
  memory_used_ = (*session)->method().memory().total();
  return seconds;
}

void SessionContender::Release() {
  read_.reset();
  at_.reset();
}

}  // namespace ltri
