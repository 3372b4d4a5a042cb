#include "engine/session_impl.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <new>

namespace ltri {
namespace {

// The last block of a prompt is at least this long if the prompt is: its queries choose what the answer sees.
constexpr int64_t kLeastEnd = 64;

// Calls progress with what is done since it was made.
class Meter {
 public:
  Meter(const ProgressCallback& callback, int64_t from, int64_t to)
      : callback_(callback), from_(from), total_(to - from), start_(std::chrono::steady_clock::now()) {}

  Status Report(int64_t read) const {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start_;
    if (!callback_ || callback_({read - from_, total_, seconds.count()})) return {};
    return Error{ErrorCode::kCancelled, fmt::format("stopped after {} of {} tokens", read - from_, total_)};
  }

 private:
  const ProgressCallback& callback_;
  int64_t from_;
  int64_t total_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace

Status Session::Impl::Push(std::span<const TokenId> tokens) {
  const int64_t vocabulary = engine().config().vocabulary;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] < 0 || tokens[i] >= vocabulary) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("token {} at position {} is not in the vocabulary of {}", tokens[i], i, vocabulary)};
    }
  }
  if (!prompt_open_) {
    prompt_open_ = true;
    prompt_begin_ = read_;
  }
  again_ = 0;
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  return {};
}

Status Session::Impl::Append(std::span<const TokenId> tokens, const ProgressCallback& progress) {
  if (Status status = Push(tokens); !status.ok()) return status;
  // What might become the prompt's end waits: one block, its least end, and the token that is decoded alone.
  return ReadBlocks(options_.block + kLeastEnd + 1, progress);
}

// Reads whole blocks while more than `keep` tokens wait.
Status Session::Impl::ReadBlocks(int64_t keep, const ProgressCallback& progress) {
  const Meter meter(progress, read_, size());
  while (size() - read_ > keep) {
    const int64_t count = std::min(options_.block, size() - read_);
    if (Status status = Read(count, StepKind::kPrompt); !status.ok()) return status;
    if (Status status = meter.Report(read_); !status.ok()) return status;
  }
  return {};
}

Slice Session::Impl::MakeSlice(int64_t begin, int64_t count, StepKind kind) {
  Slice slice;
  slice.memory = method_.get();
  slice.range = {begin, count, kind};
  slice.tokens = {tokens_.data() + begin, static_cast<size_t>(count)};
  return slice;
}

Status Session::Impl::Read(int64_t count, StepKind kind) {
  Slice slice = MakeSlice(read_, count, kind);
  if (Status status = engine().Step({&slice, 1}); !status.ok()) return status;
  read_ += count;
  return {};
}

Status Session::Impl::FinishPrompt(const ProgressCallback& progress) {
  const Meter meter(progress, read_, size() - 1);
  while (std::optional<Slice> slice = NextSlice()) {
    if (Status status = engine().Step({&*slice, 1}); !status.ok()) return status;
    SliceRead();
    if (again_ > 0) continue;
    if (Status status = meter.Report(read_); !status.ok()) return status;
  }
  return {};
}

// A block; after the last one the prompt's end again and again, and then a look ahead at the last token, so that its
// step, which gives the first word of the answer, finds what all layers ask for.
StepRange Session::Impl::NextRange() const {
  if (again_ > 1) {
    const int64_t tokens = std::min(method_->SecondReading(), read_ - prompt_begin_);
    return {read_ - tokens, tokens, StepKind::kReread};
  }
  if (again_ == 1) return {read_, 1, StepKind::kReread};
  const int64_t left = size() - 1 - read_;  // the last token is read by itself, as decoding
  int64_t count = std::min(left, options_.block);
  // Do not leave a last block that is too short.
  if (left > count && left - count < kLeastEnd && count > kLeastEnd) count = left - kLeastEnd;
  return {read_, count, count == left ? StepKind::kPromptEnd : StepKind::kPrompt};
}

std::optional<Slice> Session::Impl::NextSlice() {
  if (again_ == 0 && read_ >= size() - 1) {
    prompt_open_ = false;
    return std::nullopt;
  }
  next_ = NextRange();
  sees_all_ = method_->SeesAll(size() - 1);
  return MakeSlice(next_.begin, next_.count, next_.kind);
}

void Session::Impl::SliceRead() {
  if (next_.kind == StepKind::kReread) {
    --again_;
    return;
  }
  read_ = next_.end();
  if (next_.kind != StepKind::kPromptEnd) return;
  const bool looks_back = std::min(method_->SecondReading(), read_ - prompt_begin_) > 0;
  if (looks_back) again_ = (sees_all_ ? 0 : options_.rereadings) + 1;
}

Slice Session::Impl::DecodeSlice() {
  Slice slice = MakeSlice(read_, 1, StepKind::kDecode);
  slice.logit_rows = 1;
  slice.logits = &logits_;
  return slice;
}

Status Session::Impl::Truncate(int64_t tokens) {
  if (tokens < 0 || tokens > size()) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("cannot truncate to {} tokens: there are {}", tokens, size())};
  }
  if (tokens == size()) return {};
  if (!texts_.empty() && tokens < texts_.back().end) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("cannot truncate to {} tokens: the joined texts take {}", tokens, texts_.back().end)};
  }
  tokens_.resize(static_cast<size_t>(tokens));
  again_ = 0;
  prompt_open_ = prompt_open_ && tokens > prompt_begin_;
  // The last token has to be decoded again for its logits.
  const int64_t keep = std::max<int64_t>(0, tokens - 1);
  if (read_ <= keep) return {};
  bool truncated = false;
  Status status = engine().Run([&](ThreadPool& /*pool*/) {
    truncated = method_->Truncate(keep);
    return Status();
  });
  if (!status.ok()) return status;
  if (truncated) {
    read_ = keep;
    return {};
  }
  Result<std::unique_ptr<Method>> fresh = engine().MakeMethod(options_, tier_);
  if (!fresh.ok()) return fresh.error();
  method_ = std::move(*fresh);
  read_ = 0;
  prompt_begin_ = 0;
  prompt_open_ = true;
  return {};
}

Status Session::Impl::Stretch(int64_t tokens) {
  Status stretched = engine().Run([&](ThreadPool& pool) { return method_->Stretch(pool, tokens); });
  if (!stretched.ok()) return stretched;
  const auto period = static_cast<int64_t>(tokens_.size());
  while (size() < tokens) tokens_.push_back(tokens_[static_cast<size_t>(size() - period)]);
  read_ = size();
  return {};
}

std::vector<RecallShare> Session::Impl::Recalled() const {
  std::vector<RecallShare> shares;
  const Status looked = engine().Run([&](ThreadPool& /*pool*/) {
    shares = method_->Recalled();
    return Status();
  });
  return looked.ok() ? shares : std::vector<RecallShare>();
}

Result<std::unique_ptr<Session::Impl>> Session::Impl::Fork() const {
  std::unique_ptr<Method> method;
  const Status forked = engine().Run([&](ThreadPool& /*pool*/) -> Status {
    try {
      method = method_->Fork();
    } catch (const std::bad_alloc&) {
      return Error{ErrorCode::kOutOfMemory, "out of memory for a copy of a session; close another one first"};
    }
    return {};
  });
  if (!forked.ok()) return forked.error();
  auto copy = std::make_unique<Impl>(model_, options_, std::move(method), tier_);
  copy->texts_ = texts_;
  copy->tokens_ = tokens_;
  copy->read_ = read_;
  copy->prompt_begin_ = prompt_begin_;
  copy->prompt_open_ = prompt_open_;
  copy->next_ = next_;
  copy->again_ = again_;
  copy->sees_all_ = sees_all_;
  copy->logits_ = logits_;
  return copy;
}

}  // namespace ltri
