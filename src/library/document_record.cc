#include "library/document_record.h"

#include <fmt/format.h>

#include <numeric>

#include "base/serial.h"
#include "library/format.h"

namespace ltri {
namespace {

constexpr size_t kSourceBytes = 40;  // at least
constexpr size_t kTextBytes = 48;

void EncodeLists(const DocumentRecord& record, StateWriter& out) {
  out.Put(static_cast<uint64_t>(record.sources.size()));
  for (const Source& source : record.sources) {
    out.PutText(source.path);
    out.Put(source.skipped);
    out.Put(source.bytes);
    out.Put(source.checksum);
    out.Put(source.text_begin);
  }
  out.Put(static_cast<uint64_t>(record.segments.size()));
  for (const int64_t bytes : record.segments) out.Put(bytes);
  out.Put(static_cast<uint64_t>(record.texts.size()));
  for (const TextPiece& text : record.texts) {
    for (const int64_t value :
         {text.token_begin, text.token_end, text.byte_begin, text.byte_end, text.address, text.block_bytes}) {
      out.Put(value);
    }
  }
}

void DecodeLists(StateReader& in, DocumentRecord& record) {
  record.sources.resize(static_cast<size_t>(in.GetCount(kSourceBytes)));
  for (Source& source : record.sources) {
    source.path = in.GetText();
    source.skipped = in.Get<int64_t>();
    source.bytes = in.Get<int64_t>();
    source.checksum = in.Get<uint64_t>();
    source.text_begin = in.Get<int64_t>();
  }
  record.segments.resize(static_cast<size_t>(in.GetCount(sizeof(int64_t))));
  for (int64_t& bytes : record.segments) bytes = in.Get<int64_t>();
  record.texts.resize(static_cast<size_t>(in.GetCount(kTextBytes)));
  for (TextPiece& text : record.texts) {
    for (int64_t* value :
         {&text.token_begin, &text.token_end, &text.byte_begin, &text.byte_end, &text.address, &text.block_bytes}) {
      *value = in.Get<int64_t>();
    }
  }
}

// Pieces follow each other without a gap and end where the document does.
bool TextsAreWhole(const DocumentRecord& record) {
  int64_t tokens = record.texts.empty() ? record.tokens : record.texts.front().token_begin;
  int64_t bytes = 0;
  if (tokens < 0) return false;
  for (const TextPiece& text : record.texts) {
    if (text.token_begin != tokens || text.byte_begin != bytes || text.token_end < tokens || text.byte_end < bytes ||
        text.block_bytes < 0) {
      return false;
    }
    tokens = text.token_end;
    bytes = text.byte_end;
  }
  return tokens == record.tokens && bytes == record.text_bytes;
}

}  // namespace

int64_t DocumentRecord::stored_bytes() const { return std::accumulate(segments.begin(), segments.end(), int64_t{0}); }

std::vector<std::byte> EncodeRecord(const DocumentRecord& record) {
  StateWriter out;
  out.PutText(record.name);
  out.PutText(IdText(record.fingerprint));
  out.PutText(record.model_path);
  const ReadingSettings& settings = record.settings;
  out.PutText(settings.method);
  for (const int64_t value : {settings.sinks, settings.window, settings.budget, settings.block}) out.Put(value);
  out.Put(static_cast<uint8_t>(settings.plain ? 1 : 0));
  for (const int64_t value : {record.created, record.updated, record.tokens, record.text_bytes}) out.Put(value);
  out.Put(static_cast<uint8_t>(record.finished ? 1 : 0));
  EncodeLists(record, out);
  return out.bytes();
}

Result<DocumentRecord> DecodeRecord(const std::string& path, std::span<const std::byte> bytes) {
  StateReader in(bytes);
  DocumentRecord record;
  record.name = in.GetText();
  const std::optional<uint64_t> fingerprint = ParseId(in.GetText());
  record.model_path = in.GetText();
  ReadingSettings& settings = record.settings;
  settings.method = in.GetText();
  for (int64_t* value : {&settings.sinks, &settings.window, &settings.budget, &settings.block}) {
    *value = in.Get<int64_t>();
  }
  settings.plain = in.Get<uint8_t>() != 0;
  for (int64_t* value : {&record.created, &record.updated, &record.tokens, &record.text_bytes}) {
    *value = in.Get<int64_t>();
  }
  record.finished = in.Get<uint8_t>() != 0;
  DecodeLists(in, record);
  if (!in.ok() || !in.at_end() || !fingerprint) {
    return Error{ErrorCode::kCorrupt, fmt::format("{}: the record of the document is not well formed", path)};
  }
  record.fingerprint = *fingerprint;
  if (Status status = CheckRecord(path, record); !status.ok()) return status.error();
  return record;
}

Status CheckRecord(const std::string& path, const DocumentRecord& record) {
  const auto corrupt = [&](const std::string& what) {
    return Error{ErrorCode::kCorrupt, fmt::format("{}: the record of the document is damaged: {}", path, what)};
  };
  if (const Status status = CheckDocumentName(record.name); !status.ok()) return corrupt(status.error().message);
  if (record.tokens < 0 || record.text_bytes < 0) {
    return corrupt(fmt::format("{} tokens, {} bytes of text", record.tokens, record.text_bytes));
  }
  for (const int64_t bytes : record.segments) {
    if (bytes < 0 || bytes >= int64_t{1} << 40) return corrupt(fmt::format("a segment of {} bytes", bytes));
  }
  for (const Source& source : record.sources) {
    if (source.skipped < 0 || source.bytes < 0 || source.text_begin < 0 || source.text_begin > record.text_bytes) {
      return corrupt(
          fmt::format("source '{}' has {} bytes and begins at {}", source.path, source.bytes, source.text_begin));
    }
  }
  if (!TextsAreWhole(record)) return corrupt("the pieces of its text do not follow each other");
  return {};
}

}  // namespace ltri
