#include "library/segment_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/checksum.h"
#include "base/serial.h"
#include "library/format.h"

namespace ltri {
namespace {

constexpr std::string_view kMagic = "LTRISEG1";
constexpr uint32_t kBlockMagic = 0x4B4C424C;
constexpr int64_t kChecksumAt = 56;  // in a block's header

constexpr int64_t RoundUp(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// Where the payload of a block begins.
int64_t PayloadOffset(int64_t offset, int64_t payload_bytes) {
  const int64_t behind_header = offset + SegmentFile::kBlockHeaderBytes;
  return payload_bytes < SegmentFile::kBigBytes ? behind_header : RoundUp(behind_header, SegmentFile::kPageBytes);
}

std::vector<std::byte> FileHeader(uint64_t document, int64_t number) {
  StateWriter header;
  WriteFormatMark(header, kMagic);
  header.Put(document);
  header.Put(static_cast<uint32_t>(number));
  header.Put(uint32_t{0});
  header.Put(Checksum(header.bytes()));
  header.PutZeros(static_cast<size_t>(SegmentFile::kHeaderBytes) - header.bytes().size());
  return header.bytes();
}

std::vector<std::byte> BlockHeader(uint64_t document, int64_t address, std::span<const std::byte> payload) {
  StateWriter header;
  header.Put(kBlockMagic);
  header.Put(uint32_t{0});
  header.Put(static_cast<uint64_t>(payload.size()));
  header.Put(static_cast<uint64_t>(address));
  header.Put(document);
  header.PutZeros(static_cast<size_t>(kChecksumAt) - header.bytes().size());
  header.Put(Checksum(header.bytes(), payload));
  return header.bytes();
}

}  // namespace

Result<SegmentFile> SegmentFile::Create(FileSystem& files, const std::string& path, uint64_t document, int64_t number) {
  Result<std::unique_ptr<File>> file = files.Open(path, OpenFor::kCreating);
  if (!file.ok()) return file.error();
  if (Status status = (*file)->Append(FileHeader(document, number)); !status.ok()) return status.error();
  return SegmentFile(std::move(*file), document, number, kHeaderBytes);
}

Result<SegmentFile> SegmentFile::Open(FileSystem& files, const std::string& path, uint64_t document, int64_t number,
                                      int64_t bytes, OpenFor purpose) {
  Result<std::unique_ptr<File>> file = files.Open(path, purpose);
  if (!file.ok()) return file.error();
  const Result<int64_t> size = (*file)->Size();
  if (!size.ok()) return size.error();
  SegmentFile segment(std::move(*file), document, number, bytes);
  if (bytes < kHeaderBytes || *size < bytes) {
    return segment.Corrupt(*size, fmt::format("the file ends here, but {} bytes of it are committed", bytes));
  }
  if (Status status = segment.CheckHeader(); !status.ok()) return status.error();
  return segment;
}

Status SegmentFile::CheckHeader() const {
  std::array<std::byte, kHeaderBytes> header{};
  if (Status status = file_->Read(0, header); !status.ok()) return status;
  if (Status status = CheckFormatMark(path(), header, kMagic); !status.ok()) return status;
  const std::vector<std::byte> expected = FileHeader(document_, number_);
  const auto differs = std::mismatch(header.begin(), header.end(), expected.begin()).first;
  if (differs == header.end()) return {};
  return Corrupt(differs - header.begin(), fmt::format("the header is damaged, or not that of file {} of document {}",
                                                       number_, IdText(document_)));
}

Result<int64_t> SegmentFile::Append(std::span<const std::byte> payload) {
  const int64_t offset = bytes_;
  const int64_t begin = PayloadOffset(offset, static_cast<int64_t>(payload.size()));
  const int64_t end = begin + static_cast<int64_t>(payload.size());
  StateWriter front;
  front.PutRaw(BlockHeader(document_, BlockAddress{number_, offset}.Pack(), payload));
  front.PutZeros(static_cast<size_t>(begin - offset - kBlockHeaderBytes));
  const std::vector<std::byte> gap(static_cast<size_t>(RoundUp(end, kBlockAlignment) - end));
  for (const std::span<const std::byte> part : {std::span<const std::byte>(front.bytes()), payload, {gap}}) {
    if (Status status = file_->Append(part); !status.ok()) return status.error();
  }
  bytes_ = RoundUp(end, kBlockAlignment);
  return offset;
}

Status SegmentFile::Read(int64_t offset, std::span<std::byte> payload) const {
  std::array<std::byte, kBlockHeaderBytes> header{};
  if (Status status = file_->Read(offset, header); !status.ok()) return status;
  const Result<int64_t> bytes = PayloadBytes(offset, header);
  if (!bytes.ok()) return bytes.error();
  const auto wanted = static_cast<int64_t>(payload.size());
  if (*bytes != wanted) {
    return Corrupt(offset, fmt::format("the block there has {} bytes, but {} were stored", *bytes, wanted));
  }
  if (Status status = file_->Read(PayloadOffset(offset, wanted), payload); !status.ok()) return status;
  return CheckPayload(offset, header, payload);
}

void SegmentFile::WillRead(int64_t offset, int64_t payload) const {
  file_->WillRead(offset, PayloadOffset(offset, payload) + payload - offset);
}

// What a block's header says of its length, when the header is one that belongs there.
Result<int64_t> SegmentFile::PayloadBytes(int64_t offset, std::span<const std::byte> header) const {
  StateReader reader(header);
  if (reader.Get<uint32_t>() != kBlockMagic) return Corrupt(offset, "no block begins there");
  reader.Get<uint32_t>();
  const auto bytes = reader.Get<uint64_t>();
  const auto address = static_cast<int64_t>(reader.Get<uint64_t>());
  if (address != BlockAddress{number_, offset}.Pack() || reader.Get<uint64_t>() != document_) {
    return Corrupt(offset, "the block there belongs elsewhere");
  }
  if (bytes > uint64_t{1} << BlockAddress::kOffsetBits) {
    return Corrupt(offset, fmt::format("the block there claims {} bytes", bytes));
  }
  return static_cast<int64_t>(bytes);
}

Status SegmentFile::CheckPayload(int64_t offset, std::span<const std::byte> header,
                                 std::span<const std::byte> payload) const {
  StateReader stored(header.subspan(kChecksumAt));
  if (stored.Get<uint64_t>() == Checksum(header.first(kChecksumAt), payload)) return {};
  return Corrupt(offset, "the checksum of the block there is wrong");
}

Result<int64_t> SegmentFile::Check(int64_t offset, int64_t end) const {
  std::array<std::byte, kBlockHeaderBytes> header{};
  if (offset + kBlockHeaderBytes > end) return Corrupt(offset, "the committed part ends within a block");
  if (Status status = file_->Read(offset, header); !status.ok()) return status.error();
  const Result<int64_t> bytes = PayloadBytes(offset, header);
  if (!bytes.ok()) return bytes.error();
  const int64_t begin = PayloadOffset(offset, *bytes);
  const int64_t next = RoundUp(begin + *bytes, kBlockAlignment);
  if (next > end) return Corrupt(offset, fmt::format("a block of {} bytes does not fit the committed part", *bytes));
  std::vector<std::byte> payload(static_cast<size_t>(*bytes));
  if (Status status = file_->Read(begin, payload); !status.ok()) return status.error();
  if (Status status = CheckPayload(offset, header, payload); !status.ok()) return status.error();
  if (Status status = CheckZeros(offset + kBlockHeaderBytes, begin); !status.ok()) return status.error();
  if (Status status = CheckZeros(begin + *bytes, next); !status.ok()) return status.error();
  return next;
}

Result<int64_t> SegmentFile::FindBlock(int64_t offset, int64_t end) const {
  std::array<std::byte, kBlockHeaderBytes> header{};
  for (; offset + kBlockHeaderBytes <= end; offset += kBlockAlignment) {
    if (Status status = file_->Read(offset, header); !status.ok()) return status.error();
    if (PayloadBytes(offset, header).ok()) return offset;
  }
  return end;
}

Status SegmentFile::CheckZeros(int64_t begin, int64_t end) const {
  std::vector<std::byte> gap(static_cast<size_t>(end - begin));
  if (Status status = file_->Read(begin, gap); !status.ok()) return status;
  const auto found = std::find_if(gap.begin(), gap.end(), [](std::byte byte) { return byte != std::byte{0}; });
  if (found == gap.end()) return {};
  return Corrupt(begin + (found - gap.begin()), "between two blocks is something other than zeros");
}

Error SegmentFile::Corrupt(int64_t offset, const std::string& what) const {
  return {ErrorCode::kCorrupt, fmt::format("{}: offset {}: {}", path(), offset, what)};
}

}  // namespace ltri
