#include "library/archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/checksum.h"
#include "base/serial.h"
#include "library/format.h"
#include "library/segment_file.h"
#include "library/state_file.h"

namespace ltri {
namespace {

constexpr std::string_view kMagic = "LTRIEXP1";
constexpr std::string_view kSpans = "spans";
constexpr int64_t kChunkBytes = int64_t{1} << 20;
constexpr size_t kSpanBytes = 56;
constexpr uint64_t kLongestPartName = 64;

std::vector<std::byte> EncodeSpans(std::span<const SpanRow> spans) {
  StateWriter out;
  for (const SpanRow& span : spans) {
    for (const int64_t value : {span.layer, span.token_begin, span.token_end, span.byte_begin, span.byte_end}) {
      out.Put(value);
    }
    out.Put(span.score);
    out.Put(span.confidence);
  }
  return out.bytes();
}

std::vector<SpanRow> DecodeSpans(std::span<const std::byte> bytes) {
  StateReader in(bytes);
  std::vector<SpanRow> spans(bytes.size() / kSpanBytes);
  for (SpanRow& span : spans) {
    for (int64_t* value : {&span.layer, &span.token_begin, &span.token_end, &span.byte_begin, &span.byte_end}) {
      *value = in.Get<int64_t>();
    }
    span.score = in.Get<double>();
    span.confidence = in.Get<double>();
  }
  return spans;
}

// Writes parts one after another.
class ArchiveWriter {
 public:
  explicit ArchiveWriter(File& out) : out_(out) {}

  Status Begin() {
    StateWriter mark;
    WriteFormatMark(mark, kMagic);
    return out_.Append(mark.bytes());
  }

  Status Add(std::string_view name, std::span<const std::byte> bytes) {
    if (Status status = AddHeader(name, static_cast<int64_t>(bytes.size())); !status.ok()) return status;
    if (Status status = out_.Append(bytes); !status.ok()) return status;
    return AddChecksum(Checksum(bytes));
  }

  // The first `bytes` bytes of a file.
  Status AddFile(std::string_view name, const File& file, int64_t bytes) {
    if (Status status = AddHeader(name, bytes); !status.ok()) return status;
    RunningChecksum checksum;
    std::vector<std::byte> chunk;
    for (int64_t at = 0; at < bytes; at += static_cast<int64_t>(chunk.size())) {
      chunk.resize(static_cast<size_t>(std::min(kChunkBytes, bytes - at)));
      if (Status status = file.Read(at, chunk); !status.ok()) return status;
      checksum.Add(chunk);
      if (Status status = out_.Append(chunk); !status.ok()) return status;
    }
    return AddChecksum(checksum.value());
  }

 private:
  Status AddHeader(std::string_view name, int64_t bytes) {
    StateWriter header;
    header.PutText(name);
    header.Put(static_cast<uint64_t>(bytes));
    return out_.Append(header.bytes());
  }
  Status AddChecksum(uint64_t checksum) { return out_.Append(std::as_bytes(std::span(&checksum, 1))); }

  File& out_;
};

// Reads parts one after another; never takes more memory than the file has bytes.
class ArchiveReader {
 public:
  static Result<ArchiveReader> Open(FileSystem& files, const std::string& path) {
    Result<std::unique_ptr<File>> file = files.Open(path, OpenFor::kReading);
    if (!file.ok()) return file.error();
    const Result<int64_t> size = (*file)->Size();
    if (!size.ok()) return size.error();
    ArchiveReader reader(std::move(*file), *size);
    const Result<std::vector<std::byte>> mark = reader.Take(kFormatMarkBytes);
    if (!mark.ok()) return mark.error();
    if (Status status = CheckFormatMark(path, *mark, kMagic); !status.ok()) return status.error();
    return reader;
  }

  // The next part's name; its bytes are to be taken next, by Bytes or CopyTo. Empty at the end.
  Result<std::string> Next() {
    if (at_ == size_) return std::string();
    const Result<uint64_t> length = TakeNumber();
    if (!length.ok()) return length.error();
    if (*length == 0 || *length > kLongestPartName) return Corrupt("the name of a part is damaged");
    const Result<std::vector<std::byte>> name = Take(static_cast<int64_t>(*length));
    if (!name.ok()) return name.error();
    const Result<uint64_t> bytes = TakeNumber();
    if (!bytes.ok()) return bytes.error();
    if (*bytes > static_cast<uint64_t>(size_ - at_)) return Corrupt("a part is longer than the file");
    part_bytes_ = static_cast<int64_t>(*bytes);
    return std::string(TextOf(*name));
  }

  Result<std::vector<std::byte>> Bytes() {
    Result<std::vector<std::byte>> bytes = Take(part_bytes_);
    if (!bytes.ok()) return bytes.error();
    if (Status status = CheckSum(Checksum(*bytes)); !status.ok()) return status.error();
    return bytes;
  }

  Status CopyTo(File& out) {
    RunningChecksum checksum;
    for (int64_t left = part_bytes_; left > 0;) {
      const Result<std::vector<std::byte>> chunk = Take(std::min(left, kChunkBytes));
      if (!chunk.ok()) return chunk.error();
      checksum.Add(*chunk);
      if (Status status = out.Append(*chunk); !status.ok()) return status;
      left -= static_cast<int64_t>(chunk->size());
    }
    return CheckSum(checksum.value());
  }

  int64_t part_bytes() const { return part_bytes_; }
  Error Corrupt(const std::string& what) const {
    return {ErrorCode::kCorrupt, fmt::format("{}: offset {}: {}", file_->path(), at_, what)};
  }

 private:
  ArchiveReader(std::unique_ptr<File> file, int64_t size) : file_(std::move(file)), size_(size) {}

  Result<std::vector<std::byte>> Take(int64_t count) {
    if (count > size_ - at_) return Corrupt("the file ends too early");
    std::vector<std::byte> bytes(static_cast<size_t>(count));
    if (Status status = file_->Read(at_, bytes); !status.ok()) return status.error();
    at_ += count;
    return bytes;
  }
  Result<uint64_t> TakeNumber() {
    const Result<std::vector<std::byte>> bytes = Take(sizeof(uint64_t));
    if (!bytes.ok()) return bytes.error();
    return StateReader(*bytes).Get<uint64_t>();
  }
  Status CheckSum(uint64_t checksum) {
    const Result<uint64_t> stored = TakeNumber();
    if (!stored.ok()) return stored.error();
    if (*stored == checksum) return {};
    return Corrupt("the checksum of the part before is wrong");
  }

  std::unique_ptr<File> file_;
  int64_t size_;
  int64_t at_ = 0;
  int64_t part_bytes_ = 0;
};

Status WriteArchive(Store& store, const DocumentState& state, File& out) {
  const DocumentRecord& record = state.record;
  const std::string folder = store.FolderOf(record.id) + "/";
  ArchiveWriter archive(out);
  if (Status status = archive.Begin(); !status.ok()) return status;
  std::vector<std::string> names = {StateName(record.generation)};
  for (size_t i = 1; i <= record.segments.size(); ++i) names.push_back(SegmentName(static_cast<int64_t>(i)));
  for (size_t i = 0; i < names.size(); ++i) {
    const Result<std::unique_ptr<File>> file = store.files().Open(folder + names[i], OpenFor::kReading);
    if (!file.ok()) return file.error();
    const Result<int64_t> size = i == 0 ? (*file)->Size() : Result<int64_t>(record.segments[i - 1]);
    if (!size.ok()) return size.error();
    if (Status status = archive.AddFile(names[i], **file, *size); !status.ok()) return status;
  }
  Result<std::vector<SpanRow>> spans = store.catalogue().Spans(record.name);
  if (!spans.ok()) return spans.error();
  std::erase_if(*spans, [&](const SpanRow& span) { return span.token_end > record.tokens; });  // of a later commit
  if (Status status = archive.Add(kSpans, EncodeSpans(*spans)); !status.ok()) return status;
  return out.Sync();
}

// One document on its way into a library. Its folder goes again unless it arrives.
class Import {
 public:
  Import(Store& store, ArchiveReader archive) : store_(store), archive_(std::move(archive)) {}
  ~Import() {
    if (!folder_.empty()) (void)store_.files().RemoveFolder(folder_);
  }
  Import(const Import&) = delete;
  Import& operator=(const Import&) = delete;

  Result<std::string> Run(const std::string& name) {
    if (Status status = TakeState(name); !status.ok()) return status.error();
    for (size_t i = 0; i < state_.record.segments.size(); ++i) {
      if (Status status = TakeSegment(static_cast<int64_t>(i) + 1); !status.ok()) return status.error();
    }
    Result<std::string> part = archive_.Next();
    if (!part.ok()) return part.error();
    if (*part != kSpans) return archive_.Corrupt("the spans are missing");
    const Result<std::vector<std::byte>> spans = archive_.Bytes();
    if (!spans.ok()) return spans.error();
    part = archive_.Next();
    if (!part.ok()) return part.error();
    if (!part->empty()) return archive_.Corrupt("something follows the last part");
    if (Status status = WriteState(store_.files(), folder_, state_.record, state_.session); !status.ok()) {
      return status.error();
    }
    if (Status status = store_.catalogue().Commit(state_.record, DecodeSpans(*spans)); !status.ok()) {
      return status.error();
    }
    folder_.clear();
    return state_.record.name;
  }

 private:
  Status TakeState(const std::string& name) {
    const Result<std::string> part = archive_.Next();
    if (!part.ok()) return part.error();
    if (!ParseStateName(*part)) return archive_.Corrupt("does not begin with a state");
    const Result<std::vector<std::byte>> bytes = archive_.Bytes();
    if (!bytes.ok()) return bytes.error();
    Result<DocumentState> state = DecodeState(*part, *bytes);
    if (!state.ok()) return state.error();
    state_ = std::move(*state);
    if (!name.empty()) state_.record.name = name;
    if (Status status = CheckDocumentName(state_.record.name); !status.ok()) return status;
    if (Status status = CheckIsNew(); !status.ok()) return status;
    const std::string folder = store_.FolderOf(state_.record.id);
    if (Status status = store_.files().MakeFolder(folder); !status.ok()) return status;
    folder_ = folder;
    return {};
  }

  Status CheckIsNew() {
    const Result<std::vector<DocumentRecord>> records = store_.catalogue().All();
    if (!records.ok()) return records.error();
    for (const DocumentRecord& record : *records) {
      if (record.id == state_.record.id || record.name == state_.record.name) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("the library has {} already, as '{}'",
                                 record.id == state_.record.id ? "this document" : "another document of this name",
                                 record.name)};
      }
    }
    return {};
  }

  // Copies a segment file and checks every block of it.
  Status TakeSegment(int64_t number) {
    const Result<std::string> part = archive_.Next();
    if (!part.ok()) return part.error();
    const int64_t bytes = state_.record.segments[static_cast<size_t>(number - 1)];
    if (*part != SegmentName(number) || archive_.part_bytes() != bytes) {
      return archive_.Corrupt(fmt::format("{} with {} bytes does not follow", SegmentName(number), bytes));
    }
    const std::string path = folder_ + "/" + *part;
    {
      const Result<std::unique_ptr<File>> file = store_.files().Open(path, OpenFor::kCreating);
      if (!file.ok()) return file.error();
      if (Status status = archive_.CopyTo(**file); !status.ok()) return status;
      if (Status status = (*file)->Sync(); !status.ok()) return status;
    }
    const Result<SegmentFile> segment =
        SegmentFile::Open(store_.files(), path, state_.record.id, number, bytes, OpenFor::kReading);
    if (!segment.ok()) return segment.error();
    for (int64_t offset = SegmentFile::kHeaderBytes; offset < bytes;) {
      const Result<int64_t> next = segment->Check(offset, bytes);
      if (!next.ok()) return next.error();
      offset = *next;
    }
    return {};
  }

  Store& store_;
  ArchiveReader archive_;
  DocumentState state_;
  std::string folder_;  // made, and not in the catalogue yet
};

}  // namespace

Status ExportDocument(Store& store, const std::string& name, const std::string& path) {
  const Result<DocumentRecord> record = store.catalogue().Find(name);
  if (!record.ok()) return record.error();
  const Result<DocumentState> state =
      ReadState(store.files(), store.FolderOf(record->id), record->id, record->generation);
  if (!state.ok()) return state.error();
  const Result<std::unique_ptr<File>> out = store.files().Open(path, OpenFor::kCreating);
  if (!out.ok()) return out.error();
  Status status = WriteArchive(store, *state, **out);
  if (!status.ok()) (void)store.files().Remove(path);
  return status;
}

Result<std::string> ImportDocument(Store& store, const std::string& path, const std::string& name) {
  Result<ArchiveReader> archive = ArchiveReader::Open(store.files(), path);
  if (!archive.ok()) return archive.error();
  return Import(store, std::move(*archive)).Run(name);
}

}  // namespace ltri
