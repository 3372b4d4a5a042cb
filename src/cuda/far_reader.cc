#include "cuda/far_reader.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "ops/cuda/heads.h"
#include "ops/cuda/tokens.h"

namespace ltri::cuda {
namespace {

constexpr int64_t kInt = sizeof(int32_t);

// Where runs of tokens begin that follow each other in a block: they are read at once. The last entry is the end.
std::vector<size_t> RunsOf(const std::vector<SlotTable::Fill>& fills) {
  std::vector<size_t> begins;
  for (size_t i = 0; i < fills.size(); ++i) {
    const bool follows = i > 0 && fills[i].token == fills[i - 1].token + 1 && fills[i].token % kBlockTokens != 0;
    if (!follows) begins.push_back(i);
  }
  begins.push_back(fills.size());
  return begins;
}

}  // namespace

FarReader::FarReader(DeviceContext* context, const DeviceStore& store)
    : context_(context),
      copies_(NewStream()),
      layers_(static_cast<size_t>(context->config.layers), Layer{SlotTable(store.SlotCount()), {}, {}}) {}

FarReader::FarReader(const FarReader& other)
    : context_(other.context_), copies_(NewStream()), layers_(other.layers_), status_(other.status_) {}

FarReader::~FarReader() {
  Fail(Finish(copies_));  // stagings go
  DeleteStream(copies_);
}

void FarReader::Arrange(const DeviceStore& store, int64_t layer, bool from_host) {
  const Stream stream = context_->stream;
  Layer& of = layers_[static_cast<size_t>(layer)];
  LayerView view;
  Download(stream, &view, store.views() + layer, sizeof(view));
  if (view.far < 0 || view.far > store.most_far()) return Fail(Finish(stream));  // the card has failed before
  std::vector<int32_t> rows(static_cast<size_t>(view.far));
  Download(stream, rows.data(), store.rows() + layer * store.most_far(), view.far * kInt);
  const auto needs_slot = [&](int32_t token) { return store.IsOnDisk(token) || (from_host && store.IsOnHost(token)); };
  std::vector<int32_t> places;
  std::vector<SlotTable::Fill> fills;
  // What an earlier choice wanted and nobody read any more is not there.
  if (!of.from_disk.empty() || !of.from_host.empty()) of.slots.Forget();
  of.from_disk.clear();
  of.from_host.clear();
  of.slots.Assign(rows, needs_slot, &places, &fills);
  for (const SlotTable::Fill& fill : fills) {
    (store.IsOnDisk(fill.token) ? of.from_disk : of.from_host).push_back(fill);
  }
  Upload(stream, store.places() + layer * store.most_far(), places.data(), view.far * kInt);
  const int32_t cached = 1;
  Upload(stream, &store.views()[layer].far_cached, &cached, kInt);
  // The layers above share the votes of this one, so they will want much of the same.
  if (layer + 1 == context_->config.layers) return;
  const std::vector<size_t> runs = RunsOf(of.from_disk);
  for (size_t run = 0; run + 1 < runs.size(); ++run) {
    store.WillReadRows(layer + 1, of.from_disk[runs[run]].token, static_cast<int64_t>(runs[run + 1] - runs[run]));
  }
}

void FarReader::Fill(ThreadPool& pool, const SequenceRef* sequence, const DeviceStore& store, int64_t layer) {
  Layer& of = layers_[static_cast<size_t>(layer)];
  if (!of.from_host.empty()) CopyFromHost(sequence, store, layer);
  if (of.from_disk.empty()) return;
  Staging& staging = stagings_[next_];
  next_ = (next_ + 1) % kStagings;
  if (staging.rows == nullptr) {
    staging.rows = std::make_unique<PinnedBuffer>(store.most_far() * store.row_bytes());
    staging.tokens = std::make_unique<PinnedBuffer>(store.most_far() * kInt);
  }
  staging.taken.Wait();
  if (Status status = ReadRuns(pool, store, layer, staging); !status.ok()) {
    Fail(std::move(status));
    of.slots.Forget();
    of.from_disk.clear();
    return;
  }
  // Whoever read these slots last is done: since then the host has waited for a choice.
  PlaceTokens(copies_, context_->shape, store.ref().blocks, layer, staging.rows->as<Half>(),
              staging.tokens->as<int32_t>(), static_cast<int64_t>(of.from_disk.size()));
  staging.taken.Record(copies_);
  staging.taken.HoldBack(context_->stream);
  of.from_disk.clear();
}

Status FarReader::ReadRuns(ThreadPool& pool, const DeviceStore& store, int64_t layer, Staging& staging) const {
  const std::vector<SlotTable::Fill>& fills = layers_[static_cast<size_t>(layer)].from_disk;
  for (size_t i = 0; i < fills.size(); ++i) staging.tokens->as<int32_t>()[i] = kMostTokens + fills[i].slot;
  const std::vector<size_t> runs = RunsOf(fills);
  const auto row = static_cast<size_t>(store.row_bytes());
  std::vector<Status> read(runs.size() - 1);
  pool.Run(static_cast<int64_t>(read.size()), [&](int64_t task, int) {
    const auto run = static_cast<size_t>(task);
    const std::span<std::byte> rows(staging.rows->as<std::byte>() + runs[run] * row, (runs[run + 1] - runs[run]) * row);
    read[run] = store.ReadRows(layer, fills[runs[run]].token, rows);
  });
  for (const Status& status : read) {
    if (!status.ok()) return status;
  }
  return {};
}

// The card reads them over its bus.
void FarReader::CopyFromHost(const SequenceRef* sequence, const DeviceStore& store, int64_t layer) {
  const Stream stream = context_->stream;
  Layer& of = layers_[static_cast<size_t>(layer)];
  const FarSlots slots = store.slots(layer);
  std::vector<int32_t> missing{static_cast<int32_t>(of.from_host.size())};
  for (const SlotTable::Fill& fill : of.from_host) missing.push_back(fill.slot);
  Upload(stream, slots.tokens, of.slots.tokens().data(), slots.count * kInt);
  Upload(stream, slots.missing, missing.data(), static_cast<int64_t>(missing.size()) * kInt);
  const CacheArgs args[] = {{context_->shape, sequence, layer, slots.tokens, slots.missing}};
  CacheFarKeys(stream, args);
  of.from_host.clear();
}

void FarReader::Forget() {
  for (Layer& layer : layers_) {
    layer.slots.Forget();
    layer.from_disk.clear();
    layer.from_host.clear();
  }
}

void FarReader::Fail(Status status) {
  if (status_.ok()) status_ = std::move(status);
}

Status FarReader::TakeStatus() { return std::exchange(status_, {}); }

}  // namespace ltri::cuda
