// Any bytes as a segment file, a state file and an archive: an error or an answer, never a crash, and memory in
// proportion to the input.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/file.h"
#include "library/archive.h"
#include "library/document_blocks.h"
#include "library/format.h"
#include "library/state_file.h"
#include "library/store.h"
#include "support/temporary_folder.h"

namespace {

constexpr uint64_t kDocument = 0x0123456789abcdef;

// Every block that a walk finds, and what is at every place a reader could ask for.
void ReadSegment(ltri::FileSystem& files, const std::string& folder, int64_t size) {
  const std::string path = folder + "/" + ltri::SegmentName(1);
  const auto segment = ltri::SegmentFile::Open(files, path, kDocument, 1, size, ltri::OpenFor::kReading);
  if (!segment.ok()) return;
  for (int64_t offset = ltri::SegmentFile::kHeaderBytes; offset < size;) {
    ltri::Result<int64_t> next = segment->Check(offset, size);
    if (!next.ok()) next = segment->FindBlock(offset + ltri::SegmentFile::kBlockAlignment, size);
    if (!next.ok() || *next <= offset) std::abort();
    offset = *next;
  }
  const auto blocks = ltri::DocumentBlocks::Open(files, folder, kDocument, {size}, ltri::OpenFor::kReading);
  if (!blocks.ok()) return;
  std::vector<std::byte> block(100);
  for (int64_t offset = 0; offset < size; offset += 32) {
    (void)(*blocks)->Read(ltri::BlockAddress{1, offset}.Pack(), block);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const ltri::TemporaryFolder folder;
  ltri::FileSystem& files = ltri::FileSystem::Posix();
  const std::string text(reinterpret_cast<const char*>(data), size);
  (void)ltri::DecodeState("fuzz", ltri::BytesOf(text));
  (void)ltri::DecodeRecord("fuzz", ltri::BytesOf(text));
  ltri::WriteFile(folder / ltri::SegmentName(1), text);
  ReadSegment(files, folder.path(), static_cast<int64_t>(size));
  ltri::WriteFile(folder / "archive", text);
  static const auto store = ltri::Store::Open(files, folder / "library", ltri::Access::kWrite);
  if (const auto name = ltri::ImportDocument(**store, folder / "archive", ""); name.ok()) {
    (void)(*store)->catalogue().Remove(*name);
  }
  return 0;
}
