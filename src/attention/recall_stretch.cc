// Recall::Stretch: a text that is longer than what was read, for benches.
//
// Keys and values are copies of those read; spans are cut anew from a band that is drawn with the lengths of the spans
// found so far, and indexed from the copied keys. So cutter, index and votes are what a text of that length leaves
// behind, and everything else works on it.
#include <algorithm>
#include <vector>

#include "attention/band_drawer.h"
#include "attention/recall.h"

namespace ltri {
namespace {

constexpr int64_t kRows = 64;      // drawn at once
constexpr int64_t kStored = 4096;  // tokens whose spans are stored at once

}  // namespace

Status Recall::Stretch(ThreadPool& pool, int64_t tokens) {
  const int64_t before = size();
  if (Status status = LayeredMethod::Stretch(pool, tokens); !status.ok()) return status;
  std::vector<Status> done(static_cast<size_t>(config().layers));
  pool.Run(config().layers, [&](int64_t layer, int) {
    if (config().IsSliding(layer)) return;
    done[static_cast<size_t>(layer)] = StretchSpans(layer, before, tokens);
  });
  for (const Status& status : done) {
    if (!status.ok()) return status;
  }
  return {};
}

Status Recall::StretchSpans(int64_t layer, int64_t before, int64_t tokens) {
  SpanMemory& memory = spans_[static_cast<size_t>(layer)];
  const int64_t width = options().max_span;
  BandDrawer band(memory.spans(), width);
  for (int64_t begin = before; begin < tokens; begin += kRows) {
    const int64_t count = std::min(kRows, tokens - begin);
    memory.Push(begin, count, memory.NeedsBand() ? std::span<const float>(band.Draw(count)) : std::span<const float>(),
                width);
    // Spans are stored in stretches whose keys fit a small budget.
    if (begin % kStored != 0 && begin + count < tokens) continue;
    const int64_t limit = begin + count - options().window;
    std::vector<Block*> keys;
    memory.AppendBlocks(limit, store(layer), &keys);
    Result<BlockHold> hold = tier()->needs_holds() ? tier()->Hold(nullptr, std::move(keys)) : BlockHold();
    if (!hold.ok()) return hold.error();
    memory.StoreUntil(limit, store(layer));
    memory.Tidy();
    if (Status status = tier()->Shrink(); !status.ok()) return status;
  }
  return {};
}

}  // namespace ltri
