#include "engine/session_impl.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "attention/registry.h"

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

Status Session::Impl::Append(std::span<const TokenId> tokens, const ProgressCallback& progress) {
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
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  // What might become the prompt's end waits: one block, its least end, and the token that is decoded alone.
  return ReadBlocks(options_.block + kLeastEnd + 1, progress);
}

// Reads whole blocks while more than `keep` tokens wait.
Status Session::Impl::ReadBlocks(int64_t keep, const ProgressCallback& progress) {
  const Meter meter(progress, read_, size());
  while (size() - read_ > keep) {
    if (Status status = Read(options_.block, StepKind::kPrompt); !status.ok()) return status;
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
  const int64_t end = size() - 1;  // the last token is read by itself, as decoding
  if (read_ < end) {
    if (Status status = ReadEnd(end, progress); !status.ok()) return status;
  }
  prompt_open_ = false;
  return {};
}

Status Session::Impl::ReadEnd(int64_t end, const ProgressCallback& progress) {
  const Meter meter(progress, read_, end);
  while (read_ < end) {
    const int64_t left = end - read_;
    int64_t count = std::min(left, options_.block);
    // Do not leave a last block that is too short.
    if (left > count && left - count < kLeastEnd && count > kLeastEnd) count = left - kLeastEnd;
    const bool last = count == left;
    const bool dense = method_->ReadsDensely(end);
    if (Status status = Read(count, last ? StepKind::kPromptEnd : StepKind::kPrompt); !status.ok()) return status;
    if (last) {
      if (Status status = ReadAgain(dense ? 0 : options_.rereadings); !status.ok()) return status;
    }
    if (Status status = meter.Report(read_); !status.ok()) return status;
  }
  return {};
}

// Reads the prompt's end `times` more, and looks ahead at the last token, so that its step, which gives the first word
// of the answer, finds what all layers ask for.
Status Session::Impl::ReadAgain(int64_t times) {
  const int64_t tokens = std::min(method_->SecondReading(), read_ - prompt_begin_);
  if (tokens <= 0) return {};
  Slice end = MakeSlice(read_ - tokens, tokens, StepKind::kReread);
  for (int64_t i = 0; i < times; ++i) {
    if (Status status = engine().Step({&end, 1}); !status.ok()) return status;
  }
  Slice ahead = MakeSlice(read_, 1, StepKind::kReread);
  return engine().Step({&ahead, 1});
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
  tokens_.resize(static_cast<size_t>(tokens));
  prompt_open_ = prompt_open_ && tokens > prompt_begin_;
  // The last token has to be decoded again for its logits.
  const int64_t keep = std::max<int64_t>(0, tokens - 1);
  if (read_ <= keep) return {};
  if (method_->Truncate(keep)) {
    read_ = keep;
    return {};
  }
  Result<std::unique_ptr<Method>> fresh = MakeMethod(engine().method_context(), options_);
  if (!fresh.ok()) return fresh.error();
  method_ = std::move(*fresh);
  read_ = 0;
  prompt_begin_ = 0;
  prompt_open_ = true;
  return {};
}

Status Session::Impl::Stretch(int64_t tokens) {
  if (Status status = engine().Stretch(*method_, tokens); !status.ok()) return status;
  const auto period = static_cast<int64_t>(tokens_.size());
  while (size() < tokens) tokens_.push_back(tokens_[static_cast<size_t>(size() - period)]);
  read_ = size();
  return {};
}

Result<std::unique_ptr<Session::Impl>> Session::Impl::Fork() const {
  auto copy = std::make_unique<Impl>(model_, options_, method_->Fork());
  copy->tokens_ = tokens_;
  copy->read_ = read_;
  copy->prompt_begin_ = prompt_begin_;
  copy->prompt_open_ = prompt_open_;
  copy->logits_ = logits_;
  return copy;
}

}  // namespace ltri
