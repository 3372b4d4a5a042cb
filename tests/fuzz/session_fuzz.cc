// A saved session with some numbers in it changed, in its state and in its blocks, as if whoever made the file had also
// made the checksums fit: an error, or a session that goes on, never a crash, and memory in proportion.
//
// An input is a list of changes: where (u8), which byte (u32), how many bytes (u8), their values (u64).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "base/serial.h"
#include "engine/session_impl.h"
#include "support/memory_file.h"
#include "support/tiny_session.h"

namespace {

using Impl = ltri::Session::Impl;

constexpr size_t kMostChanges = 64;
constexpr uint8_t kState = 4;  // below: the state; from there on: one block in so many

struct Change {
  uint8_t where = 0;
  uint32_t at = 0;
  uint8_t width = 0;
  uint64_t value = 0;

  void Apply(std::span<std::byte> bytes) const {
    if (bytes.empty()) return;
    const size_t begin = at % bytes.size();
    const size_t count = std::min<size_t>(1 + width % 8, bytes.size() - begin);
    std::memcpy(bytes.data() + begin, &value, count);
  }
};

class ChangedFile : public ltri::BlockFile {
 public:
  ChangedFile(std::shared_ptr<ltri::BlockFile> file, const std::vector<Change>& changes)
      : file_(std::move(file)), changes_(changes) {}

  ltri::Result<int64_t> Append(std::span<const std::byte> bytes) override { return file_->Append(bytes); }
  ltri::Status Read(int64_t offset, std::span<std::byte> bytes) const override {
    ltri::Status status = file_->Read(offset, bytes);
    for (const Change& change : changes_) {
      if (change.where >= kState && (offset / 4) % (change.where - kState + 1) == 0) change.Apply(bytes);
    }
    return status;
  }

 private:
  std::shared_ptr<ltri::BlockFile> file_;
  const std::vector<Change>& changes_;
};

struct Saved {
  std::shared_ptr<ltri::Model> model = ltri::testing::TinyModel("llama", 1);
  std::shared_ptr<ltri::testing::MemoryFile> file = std::make_shared<ltri::testing::MemoryFile>();
  std::vector<std::byte> state;

  Saved() {
    auto session = Impl::Open(model, ltri::testing::SmallOptions("ltri"), nullptr);
    if (!session.ok() || !(*session)->Append(ltri::testing::TinyText(260, 3), {}).ok()) std::abort();
    auto saved = (*session)->Save(file);
    if (!saved.ok()) std::abort();
    state = std::move(*saved);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Saved saved;
  ltri::StateReader input(std::as_bytes(std::span(data, size)));
  std::vector<Change> changes;
  std::vector<std::byte> state = saved.state;
  while (changes.size() < kMostChanges) {
    Change change{input.Get<uint8_t>(), input.Get<uint32_t>(), input.Get<uint8_t>(), input.Get<uint64_t>()};
    if (!input.ok()) break;
    if (change.where < kState) change.Apply(state);
    changes.push_back(change);
  }
  auto restored = Impl::Restore(saved.model, {state, std::make_shared<ChangedFile>(saved.file, changes)},
                                ltri::Tier::Create(int64_t{64} << 20));
  if (!restored.ok()) return 0;
  ltri::Session session(std::move(*restored));
  if (!session.Append(ltri::testing::TinyText(8, 4)).ok()) return 0;
  (void)session.NextLogits();
  return 0;
}
