#include "eval/attention_probe.h"

#include <algorithm>
#include <utility>

#include "ops/local_probability.h"

namespace ltri {
namespace {

constexpr int64_t kBlock = 512;

}  // namespace

AttentionProbe::AttentionProbe(const MethodContext& context, Watcher watcher)
    : LayeredMethod(context, SessionOptions{}), watcher_(std::move(watcher)) {}

void AttentionProbe::Attended(ThreadPool& pool, int64_t layer, const AttendArgs& args, const float* lse) {
  std::vector<float> received(static_cast<size_t>(args.heads * step().end()), 0.0F);
  ReceivedAttention(pool, args, lse, received.data());
  watcher_(layer, received);
}

Status ReadButLast(Engine& engine, AttentionProbe& probe, std::span<const TokenId> tokens) {
  const int64_t end = static_cast<int64_t>(tokens.size()) - 1;
  for (int64_t begin = 0; begin < end; begin += kBlock) {
    Slice slice;
    slice.memory = &probe;
    slice.range = {begin, std::min(kBlock, end - begin), StepKind::kPrompt};
    slice.tokens = tokens.subspan(static_cast<size_t>(begin), static_cast<size_t>(slice.range.count));
    if (Status status = engine.Step({&slice, 1}); !status.ok()) return status;
  }
  return {};
}

Status DecodeLast(Engine& engine, AttentionProbe& probe, std::span<const TokenId> tokens, std::vector<float>* logits) {
  const auto last = static_cast<int64_t>(tokens.size()) - 1;
  Slice slice{&probe, tokens.last(1), {last, 1, StepKind::kDecode}, 1, logits};
  return engine.Step({&slice, 1});
}

}  // namespace ltri
