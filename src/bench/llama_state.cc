#include "bench/llama_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace ltri {
namespace {

// Reads a state, writes the longer one. A read beyond the end makes ok() false and gives zeros.
class Copier {
 public:
  explicit Copier(std::span<const uint8_t> in) : in_(in) {}

  bool ok() const { return ok_; }
  bool AtEnd() const { return at_ == in_.size(); }
  std::vector<uint8_t> Take() { return std::move(out_); }

  template <typename T>
  T Read() {
    T value{};
    const std::span<const uint8_t> bytes = ReadBytes(sizeof(T));
    if (!bytes.empty()) std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
  }

  template <typename T>
  void Write(T value) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
    out_.insert(out_.end(), bytes, bytes + sizeof(T));
  }

  template <typename T>
  T Copy() {
    const T value = Read<T>();
    Write(value);
    return value;
  }

  // Copies `count` rows of the source over and over until there are `wanted`.
  void CopyRows(uint64_t row_bytes, uint64_t count, uint64_t wanted) {
    if (row_bytes > in_.size() || count > in_.size()) return Fail();
    const std::span<const uint8_t> rows = ReadBytes(row_bytes * count);
    for (uint64_t done = 0; ok_ && count > 0 && done < wanted;) {
      const uint64_t some = std::min(count, wanted - done);
      out_.insert(out_.end(), rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(some * row_bytes));
      done += some;
    }
  }

  // The longer state takes about so many times the bytes.
  void Expect(double times) { out_.reserve(static_cast<size_t>(times * static_cast<double>(in_.size())) + 4096); }
  void Fail() { ok_ = false; }

 private:
  std::span<const uint8_t> ReadBytes(uint64_t count) {
    if (!ok_ || count > in_.size() - at_) {
      Fail();
      return {};
    }
    const std::span<const uint8_t> bytes = in_.subspan(at_, count);
    at_ += count;
    return bytes;
  }

  std::span<const uint8_t> in_;
  size_t at_ = 0;
  std::vector<uint8_t> out_;
  bool ok_ = true;
};

// Positions of `cells` cells, which each belong to one sequence. Returns how many cells the longer cache has.
uint32_t CopyCells(Copier& state, uint32_t cells, int64_t tokens, bool window) {
  std::vector<int32_t> positions;
  int32_t sequence = 0;
  for (uint32_t i = 0; i < cells && state.ok(); ++i) {
    positions.push_back(state.Read<int32_t>());
    if (state.Read<uint32_t>() != 1) state.Fail();
    sequence = state.Read<int32_t>();
  }
  if (!state.ok()) return 0;
  const auto wanted = static_cast<uint32_t>(window ? cells : tokens);
  const auto end = static_cast<int32_t>(tokens);
  state.Write(wanted);
  for (uint32_t i = 0; i < wanted; ++i) {
    state.Write(window ? positions[i] + end - 1 - positions.back() : static_cast<int32_t>(i));
    state.Write<uint32_t>(1);
    state.Write(sequence);
  }
  // The first cache must hold the whole text, or repeating it would not give that many tokens.
  if (!window && (positions.front() != 0 || positions.back() + 1 != static_cast<int32_t>(cells))) state.Fail();
  return wanted;
}

void CopyCache(Copier& state, int64_t tokens, bool window) {
  if (state.Copy<uint32_t>() != 1) state.Fail();  // streams
  const auto cells = state.Read<uint32_t>();
  if (cells == 0 || (!window && cells > tokens)) state.Fail();
  if (!state.ok()) return;
  if (!window) state.Expect(static_cast<double>(tokens) / cells);
  const uint32_t wanted = CopyCells(state, cells, tokens, window);
  if (state.Copy<uint32_t>() != 0) state.Fail();  // values transposed: not with flash attention
  const auto layers = state.Copy<uint32_t>();
  for (uint32_t part = 0; part < 2 * layers && state.ok(); ++part) {  // keys of all layers, then values
    state.Copy<int32_t>();                                            // type
    const auto row = state.Copy<uint64_t>();
    state.CopyRows(row, cells, wanted);
  }
}

}  // namespace

Result<std::vector<uint8_t>> StretchLlamaState(std::span<const uint8_t> state, int64_t tokens) {
  Copier copier(state);
  copier.Copy<uint32_t>();  // magic
  copier.Copy<int32_t>();   // sequence
  for (bool window = false; copier.ok() && !copier.AtEnd(); window = true) CopyCache(copier, tokens, window);
  if (!copier.ok()) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("llama.cpp's state of {} bytes is not laid out as expected; name depths for --decode that "
                             "can be read, or leave --peer away",
                             state.size())};
  }
  return copier.Take();
}

}  // namespace ltri
