#include "library/state_file.h"

#include <fmt/format.h>

#include <memory>

#include "base/checksum.h"
#include "base/serial.h"
#include "library/format.h"

namespace ltri {
namespace {

constexpr std::string_view kMagic = "LTRISTA1";
constexpr size_t kHeaderBytes = 64;
constexpr size_t kCheckedHeaderBytes = 56;
constexpr int64_t kMostBytes = int64_t{1} << 36;

Error Corrupt(const std::string& path, const std::string& what) {
  return {ErrorCode::kCorrupt, fmt::format("{}: {}", path, what)};
}

}  // namespace

Status WriteState(FileSystem& files, const std::string& folder, const DocumentRecord& record,
                  std::span<const std::byte> session) {
  const std::vector<std::byte> encoded = EncodeRecord(record);
  StateWriter header;
  WriteFormatMark(header, kMagic);
  header.Put(record.id);
  header.Put(static_cast<uint64_t>(record.generation));
  header.Put(static_cast<uint64_t>(encoded.size()));
  header.Put(static_cast<uint64_t>(session.size()));
  RunningChecksum body;
  body.Add(encoded);
  body.Add(session);
  header.PutZeros(kCheckedHeaderBytes - header.bytes().size());
  const uint64_t parts[] = {Checksum(header.bytes()), body.value()};
  header.Put(Checksum(std::as_bytes(std::span(parts))));

  const std::string path = folder + "/" + StateName(record.generation);
  Result<std::unique_ptr<File>> file = files.Open(path, OpenFor::kCreating);
  if (!file.ok()) return file.error();
  for (const std::span<const std::byte> part : {std::span<const std::byte>(header.bytes()), {encoded}, session}) {
    if (Status status = (*file)->Append(part); !status.ok()) return status;
  }
  if (Status status = (*file)->Sync(); !status.ok()) return status;
  return files.SyncFolder(folder);
}

Result<DocumentState> DecodeState(const std::string& path, std::span<const std::byte> bytes) {
  if (Status status = CheckFormatMark(path, bytes, kMagic); !status.ok()) return status.error();
  StateReader in(bytes);
  in.GetRaw(kFormatMarkBytes);
  const auto id = in.Get<uint64_t>();
  const auto generation = static_cast<int64_t>(in.Get<uint64_t>());
  const auto record_bytes = in.Get<uint64_t>();
  const auto session_bytes = in.Get<uint64_t>();
  in.Get<uint64_t>();
  const auto checksum = in.Get<uint64_t>();
  const std::span<const std::byte> encoded = in.GetRaw(record_bytes);
  const std::span<const std::byte> session = in.GetRaw(session_bytes);
  if (!in.ok() || !in.at_end())
    return Corrupt(path, fmt::format("offset 32: a record of {} and a session of {} bytes are not what the file holds",
                                     record_bytes, session_bytes));
  const uint64_t parts[] = {Checksum(bytes.first(kCheckedHeaderBytes)), Checksum(bytes.subspan(kHeaderBytes))};
  if (Checksum(std::as_bytes(std::span(parts))) != checksum) return Corrupt(path, "offset 56: the checksum is wrong");
  Result<DocumentRecord> record = DecodeRecord(path, encoded);
  if (!record.ok()) return record.error();
  record->id = id;
  record->generation = generation;
  return DocumentState{std::move(*record), {session.begin(), session.end()}};
}

Result<DocumentState> ReadState(FileSystem& files, const std::string& folder, uint64_t document, int64_t generation) {
  const std::string path = folder + "/" + StateName(generation);
  const Result<std::vector<std::byte>> bytes = ReadWhole(files, path, kMostBytes);
  if (!bytes.ok()) return bytes.error();
  Result<DocumentState> state = DecodeState(path, *bytes);
  if (!state.ok()) return state.error();
  if (state->record.id == document && state->record.generation == generation) return state;
  return Corrupt(path, fmt::format("is the state {} of document {}, not {} of {}", state->record.generation,
                                   IdText(state->record.id), generation, IdText(document)));
}

}  // namespace ltri
