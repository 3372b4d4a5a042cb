// How keys and values on the card are saved and restored. The format is that of memory/kv_store.h: chunks of tokens,
// each layer's by itself, so that a session goes on wherever it is restored.
#include <algorithm>

#include "cuda/device_store.h"
#include "memory/kv_store.h"

namespace ltri::cuda {
namespace {

constexpr int64_t kChunk = KvStore::kChunk;
constexpr int64_t kDropped = -1;  // in place of a chunk's offset
constexpr int kBuffers = 2;       // one is copied while the other one's bytes go to or come from a file

int64_t ChunksOf(int64_t tokens) { return (tokens + kChunk - 1) / kChunk; }

}  // namespace

// What a state says of one layer.
struct DeviceStore::SavedLayer {
  std::vector<int64_t> offsets;  // of whole chunks
  std::vector<Half> rest;        // the last chunk, unless it is whole or dropped

  bool Has(int64_t chunk) const {
    if (chunk < static_cast<int64_t>(offsets.size())) return offsets[static_cast<size_t>(chunk)] != kDropped;
    return chunk == static_cast<int64_t>(offsets.size()) && !rest.empty();
  }
};

bool DeviceStore::HasChunk(int64_t chunk) const {
  const auto block = static_cast<size_t>(chunk / kChunksInBlock);
  return block < blocks_.size() && (blocks_[block] != nullptr || on_disk_[block] != nullptr);
}

// Tokens from `begin` on will be others.
void DeviceStore::ForgetSaved(int64_t begin) {
  saved_.resize(std::min(saved_.size(), static_cast<size_t>(begin / kChunk)));
}

// A chunk, layer after layer: [layers, kv_heads, keys | values, kChunk, head_dim]. Queued; out: pinned. What lies in
// the file of this session takes the way over a whole block.
Status DeviceStore::CopyChunk(int64_t chunk, Half* out) const {
  static_assert(kBlockTokens == kChunksInBlock * kChunk);
  const auto at = static_cast<size_t>(chunk / kChunksInBlock);
  Half* block = pointers_[at];
  std::vector<Half> read;
  if (block == nullptr) {
    read.resize(static_cast<size_t>(shape_.BlockHalves()));
    block = read.data();
    if (Status status = ReadBlock(at, block); !status.ok()) return status;
  }
  const int64_t row = int64_t{shape_.head_dim} * static_cast<int64_t>(sizeof(Half));
  CopyRows(stream_, out, kChunk * row, block + chunk % kChunksInBlock * kChunk * shape_.head_dim, kBlockTokens * row,
           kChunk * row, layers_ * shape_.kv_heads * 2);
  return read.empty() ? Status() : Finish(stream_);
}

void DeviceStore::PlaceChunk(int64_t chunk, const Half* from, Half* block) const {
  const int64_t row = int64_t{shape_.head_dim} * static_cast<int64_t>(sizeof(Half));
  CopyRows(stream_, block + chunk % kChunksInBlock * kChunk * shape_.head_dim, kBlockTokens * row, from, kChunk * row,
           kChunk * row, layers_ * shape_.kv_heads * 2);
}

// Rows of a chunk's heads, keys and values in turn, `kChunk` of each.
template <typename Convert>
void ForRows(int64_t rows, const HostHeads& heads, Convert&& convert) {
  for (int64_t row = 0; row < rows; ++row) convert(row, row / kChunk % 2 == 0 ? heads.keys : heads.values);
}

// A chunk of all layers as a file has it. room: where it is put if it is another there.
const std::byte* DeviceStore::ToFile(const HostHeads& heads, const Half* chunk, std::vector<Half>& room) const {
  if (heads.same) return reinterpret_cast<const std::byte*>(chunk);
  const int64_t rows = layers_ * shape_.kv_heads * 2 * kChunk;
  room.resize(static_cast<size_t>(rows * heads.head_dim));
  ForRows(rows, heads, [&](int64_t row, const HeadOrder& order) {
    HostHeads::ToHost(order, chunk + row * shape_.head_dim, room.data() + row * heads.head_dim);
  });
  return reinterpret_cast<const std::byte*>(room.data());
}

// The first `chunks` chunks, which are whole.
Status DeviceStore::SaveChunks(const std::shared_ptr<BlockFile>& file, int64_t chunks, const HostHeads& heads) {
  saved_.resize(static_cast<size_t>(chunks));
  std::vector<int64_t> missing;
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    const auto& saved = saved_[static_cast<size_t>(chunk)];
    if (HasChunk(chunk) && (saved == nullptr || saved->file != file)) missing.push_back(chunk);
  }
  if (missing.empty()) return {};
  PinnedBuffer staging(kBuffers * ChunkBytes());
  Event here[kBuffers];
  const auto buffer = [&](size_t i) { return staging.as<char>() + static_cast<int64_t>(i % kBuffers) * ChunkBytes(); };
  const auto fetch = [&](size_t i) -> Status {
    if (i >= missing.size()) return {};
    Status status = CopyChunk(missing[i], reinterpret_cast<Half*>(buffer(i)));
    here[i % kBuffers].Record(stream_);
    return status;
  };
  // Before the buffers go, nothing writes to them any more.
  const auto failed = [&](const Status& status) {
    Status finished = Finish(stream_);
    return finished.ok() ? status : finished;
  };
  const auto part = static_cast<size_t>(FileChunkBytes(heads) / layers_);
  std::vector<Half> room;
  if (Status status = fetch(0); !status.ok()) return failed(status);
  for (size_t i = 0; i < missing.size(); ++i) {
    if (Status status = fetch(i + 1); !status.ok()) return failed(status);
    here[i % kBuffers].Wait();
    auto saved = std::make_shared<SavedChunk>();
    saved->file = file;
    const std::byte* bytes = ToFile(heads, reinterpret_cast<const Half*>(buffer(i)), room);
    for (int64_t layer = 0; layer < layers_; ++layer) {
      Result<int64_t> offset = file->Append({bytes + static_cast<size_t>(layer) * part, part});
      if (!offset.ok()) return failed(offset.error());
      saved->offsets.push_back(*offset);
    }
    saved_[static_cast<size_t>(missing[i])] = std::move(saved);
  }
  return Finish(stream_);
}

Status DeviceStore::Save(const std::shared_ptr<BlockFile>& file, int64_t size, const HostHeads& heads,
                         StateWriter* state) {
  const int64_t whole = size / kChunk;
  if (Status status = SaveChunks(file, whole, heads); !status.ok()) {
    ForgetSaved(0);  // what was copied last may be anything
    return status;
  }
  const auto part = static_cast<size_t>(FileChunkBytes(heads) / layers_ / static_cast<int64_t>(sizeof(Half)));
  std::vector<Half> rest;
  if (size % kChunk != 0 && HasChunk(whole)) {
    const PinnedBuffer staging(ChunkBytes());
    if (Status status = CopyChunk(whole, staging.as<Half>()); !status.ok()) return status;
    if (Status status = Finish(stream_); !status.ok()) return status;
    std::vector<Half> room;
    const auto* halves = reinterpret_cast<const Half*>(ToFile(heads, staging.as<Half>(), room));
    rest.assign(halves, halves + static_cast<int64_t>(part) * layers_);
    // Nobody wrote what lies behind the text.
    const auto row = static_cast<size_t>(kChunk * heads.head_dim);
    for (size_t at = 0; at < rest.size(); at += row) {
      const auto begin = rest.begin() + static_cast<int64_t>(at);
      std::fill(begin + size % kChunk * heads.head_dim, begin + static_cast<int64_t>(row), Half{0});
    }
  }
  for (int64_t layer = 0; layer < layers_; ++layer) {
    state->Put(size);
    std::vector<int64_t> offsets;
    for (int64_t chunk = 0; chunk < whole; ++chunk) {
      offsets.push_back(HasChunk(chunk) ? saved_[static_cast<size_t>(chunk)]->offsets[static_cast<size_t>(layer)]
                                        : kDropped);
    }
    state->PutAll(offsets);
    state->PutAll(rest.empty() ? std::span<const Half>()
                               : std::span<const Half>(rest).subspan(static_cast<size_t>(layer) * part, part));
  }
  return {};
}

// As the card has it; parts that a layer dropped are cleared. room: for a chunk that is another in the file.
Status DeviceStore::ReadChunk(const std::shared_ptr<BlockFile>& file, const std::vector<SavedLayer>& layers,
                              int64_t chunk, const HostHeads& heads, std::vector<Half>& room, Half* to) const {
  const auto part = static_cast<size_t>(FileChunkBytes(heads) / layers_ / static_cast<int64_t>(sizeof(Half)));
  if (!heads.same) room.resize(part * layers.size());
  Half* const read = heads.same ? to : room.data();
  for (size_t layer = 0; layer < layers.size(); ++layer) {
    const SavedLayer& from = layers[layer];
    const std::span<Half> own(read + layer * part, part);
    if (!from.Has(chunk)) {
      std::fill(own.begin(), own.end(), Half{0});
    } else if (chunk == static_cast<int64_t>(from.offsets.size())) {
      std::copy(from.rest.begin(), from.rest.end(), own.begin());
    } else if (Status status = file->Read(from.offsets[static_cast<size_t>(chunk)], std::as_writable_bytes(own));
               !status.ok()) {
      return status;
    }
  }
  if (heads.same) return {};
  ForRows(layers_ * shape_.kv_heads * 2 * kChunk, heads, [&](int64_t row, const HeadOrder& order) {
    HostHeads::ToCard(order, read + row * heads.head_dim, to + row * shape_.head_dim);
  });
  return {};
}

Status DeviceStore::Restore(const std::shared_ptr<BlockFile>& file, int64_t size, const HostHeads& heads,
                            const std::vector<std::vector<TokenRange>>& needed, StateReader* state) {
  const int64_t whole = size / kChunk;
  const int64_t halves = FileChunkBytes(heads) / layers_ / static_cast<int64_t>(sizeof(Half));
  std::vector<SavedLayer> layers;
  for (int64_t i = 0; i < layers_ && state->ok(); ++i) {
    SavedLayer layer;
    // What was read ahead and does not count as remembered may be there too.
    const auto tokens = state->GetWithin<int64_t>(size, size + kChunk, "the tokens of a layer");
    layer.offsets = state->GetAll<int64_t>(tokens / kChunk, "the list of chunks");
    layer.rest = state->GetAll<Half>();
    state->Check(layer.rest.empty() || static_cast<int64_t>(layer.rest.size()) == halves,
                 "the last chunk has a wrong length");
    for (const TokenRange& range : needed[static_cast<size_t>(i)]) {
      for (int64_t chunk = range.begin / kChunk; chunk * kChunk < range.end && state->ok(); ++chunk) {
        state->Check(layer.Has(chunk), "a layer lacks tokens that it needs");
      }
    }
    layers.push_back(std::move(layer));
  }
  if (!state->ok()) return state->status();

  const int64_t chunks = ChunksOf(size);
  Resize(static_cast<size_t>((chunks + kChunksInBlock - 1) / kChunksInBlock));
  saved_.resize(static_cast<size_t>(whole));
  PinnedBuffer staging(kBuffers * ChunkBytes());
  Event taken[kBuffers];
  std::vector<Half> room;
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    const auto at = static_cast<size_t>(chunk / kChunksInBlock);
    // A block comes as a whole, what layers dropped of it as zeros.
    const auto holds = [&](const SavedLayer& layer) {
      const int64_t first = chunk - chunk % kChunksInBlock;
      return layer.Has(first) || layer.Has(first + 1);
    };
    if (std::none_of(layers.begin(), layers.end(), holds)) continue;
    if (blocks_[at] == nullptr) {
      Result<Taken> block = TakeBlock();
      if (!block.ok()) {
        if (Status finished = Finish(stream_); !finished.ok()) return finished;
        return block.error();
      }
      SetBlock(at, *block);
    }
    auto* const buffer = reinterpret_cast<Half*>(staging.as<char>() + chunk % kBuffers * ChunkBytes());
    taken[chunk % kBuffers].Wait();  // an event that was never recorded is over
    if (Status status = ReadChunk(file, layers, chunk, heads, room, buffer); !status.ok()) {
      if (Status finished = Finish(stream_); !finished.ok()) return finished;
      return status;
    }
    PlaceChunk(chunk, buffer, pointers_[at]);
    taken[chunk % kBuffers].Record(stream_);
    if (chunk >= whole) continue;
    auto saved = std::make_shared<SavedChunk>();
    saved->file = file;
    for (const SavedLayer& layer : layers) saved->offsets.push_back(layer.offsets[static_cast<size_t>(chunk)]);
    saved_[static_cast<size_t>(chunk)] = std::move(saved);
  }
  return Finish(stream_);
}

// Blocks begin elsewhere in the two texts: each gives a part of its rows to one or two of the others.
Status DeviceStore::AppendTokens(const DeviceStore& other, int64_t tokens, int64_t count) {
  if (Status status = MakeRoom(tokens, tokens + count); !status.ok()) return status;
  const int64_t row = int64_t{shape_.head_dim} * static_cast<int64_t>(sizeof(Half));
  for (int64_t done = 0; done < count;) {
    const int64_t to = tokens + done;
    const int64_t step = std::min({count - done, kBlockTokens - done % kBlockTokens, kBlockTokens - to % kBlockTokens});
    const Half* from = other.pointers_[static_cast<size_t>(done / kBlockTokens)];  // joined texts have no file
    CopyRows(stream_, pointers_[static_cast<size_t>(to / kBlockTokens)] + to % kBlockTokens * shape_.head_dim,
             kBlockTokens * row, from + done % kBlockTokens * shape_.head_dim, kBlockTokens * row, step * row,
             layers_ * shape_.kv_heads * 2);
    done += step;
  }
  return {};
}

}  // namespace ltri::cuda
