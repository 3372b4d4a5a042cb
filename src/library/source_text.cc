#include "library/source_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/serial.h"
#include "text/utf8.h"

namespace ltri {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr size_t kReadBytes = size_t{1} << 20;
constexpr size_t kMostPiece = size_t{1} << 20;  // when no safe place to cut is found
constexpr size_t kLongestCharacter = 4;

}  // namespace

Result<SourceText> SourceText::Open(FileSystem& files, const Source& known) {
  Result<std::unique_ptr<File>> file = files.Open(known.path, OpenFor::kReading);
  if (!file.ok()) return file.error();
  SourceText text(std::move(*file), known);
  if (Status status = text.CheckBeginning(); !status.ok()) return status.error();
  return text;
}

Status SourceText::CheckBeginning() {
  const Result<int64_t> size = file_->Size();
  if (!size.ok()) return size.error();
  if (source_.bytes == 0 && *size >= static_cast<int64_t>(kByteOrderMark.size())) {
    std::string mark(kByteOrderMark.size(), '\0');
    if (Status status = file_->Read(0, std::as_writable_bytes(std::span(mark))); !status.ok()) return status;
    source_.skipped = mark == kByteOrderMark ? static_cast<int64_t>(mark.size()) : 0;
  }
  const int64_t end = source_.skipped + source_.bytes;
  std::vector<std::byte> bytes;
  for (int64_t at = source_.skipped; at < std::min(end, *size); at += static_cast<int64_t>(bytes.size())) {
    bytes.resize(static_cast<size_t>(std::min<int64_t>(kReadBytes, std::min(end, *size) - at)));
    if (Status status = file_->Read(at, bytes); !status.ok()) return status;
    checksum_.Add(bytes);
  }
  if (source_.bytes == 0 || (*size >= end && checksum_.value() == source_.checksum)) return {};
  return Error{
      ErrorCode::kInvalidArgument,
      fmt::format("{}: its first {} bytes are not those that were indexed; index it under another name, or remove "
                  "the document first",
                  source_.path, end)};
}

// Reads until the buffer has `bytes`, or the file ends.
Status SourceText::Fill(size_t bytes) {
  const Result<int64_t> size = file_->Size();
  if (!size.ok()) return size.error();
  const int64_t at = source_.skipped + source_.bytes + static_cast<int64_t>(buffer_.size());
  if (buffer_.size() >= bytes || at >= *size) return {};
  const size_t before = buffer_.size();
  const auto more = std::min<int64_t>(*size - at, static_cast<int64_t>(std::max(bytes - before, kReadBytes)));
  buffer_.resize(before + static_cast<size_t>(more));
  return file_->Read(at, std::as_writable_bytes(std::span(buffer_).subspan(before)));
}

// How much of the buffer is whole characters and, unless partial_end, whole lines.
Result<size_t> SourceText::Whole(bool partial_end) const {
  size_t whole = buffer_.size();
  if (const std::optional<size_t> wrong = FindInvalidUtf8(buffer_)) {
    bool incomplete = false;
    Utf8CharLength(std::string_view(buffer_).substr(*wrong), &incomplete);
    const Result<int64_t> left = Left();
    if (!left.ok()) return left.error();
    const bool more_may_come = *left > static_cast<int64_t>(buffer_.size()) || !partial_end;
    if (!incomplete || buffer_.size() - *wrong >= kLongestCharacter || !more_may_come) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("{} is not UTF-8: byte {} is 0x{:02x}. Convert it first, for instance with iconv",
                               source_.path, source_.skipped + source_.bytes + static_cast<int64_t>(*wrong),
                               static_cast<unsigned char>(buffer_[*wrong]))};
    }
    whole = *wrong;
  }
  if (partial_end) return whole;
  const size_t line = std::string_view(buffer_).substr(0, whole).rfind('\n');
  return line == std::string_view::npos ? 0 : line + 1;
}

Result<std::string> SourceText::Next(const Tokenizer& tokenizer, size_t bytes, bool partial_end) {
  if (Status status = Fill(kMostPiece + kLongestCharacter); !status.ok()) return status.error();
  const Result<size_t> whole = Whole(partial_end);
  if (!whole.ok()) return whole.error();
  const std::string_view text = std::string_view(buffer_).substr(0, *whole);
  size_t size = text.size();
  for (size_t limit = bytes; limit < text.size(); limit *= 2) {
    bool safe = false;
    size = tokenizer.FindCut(text, limit, &safe);
    if (safe || limit >= kMostPiece) break;
    size = text.size();
  }
  std::string piece(text.substr(0, size));
  checksum_.Add(BytesOf(piece));
  source_.bytes += static_cast<int64_t>(piece.size());
  source_.checksum = checksum_.value();
  buffer_.erase(0, piece.size());
  return piece;
}

Source SourceText::source() const { return source_; }

Result<int64_t> SourceText::Left() const {
  const Result<int64_t> size = file_->Size();
  if (!size.ok()) return size.error();
  return std::max<int64_t>(0, *size - source_.skipped - source_.bytes);
}

}  // namespace ltri
