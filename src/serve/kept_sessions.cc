#include "serve/kept_sessions.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/checksum.h"
#include "base/serial.h"
#include "library/document_blocks.h"
#include "library/fingerprint.h"

namespace ltri {
namespace {

constexpr uint64_t kMagic = 0x736e737369727473;  // another file is not to be taken for this one
constexpr uint32_t kVersion = 1;
constexpr uint64_t kDocument = 1;  // segment files name whose they are
constexpr int64_t kMostBytes = int64_t{4} << 30;

Status WriteSessions(FileSystem& files, const std::string& folder, const std::vector<Session::Impl*>& sessions) {
  if (Status status = files.MakeFolder(folder); !status.ok()) return status;
  Result<std::shared_ptr<DocumentBlocks>> blocks =
      DocumentBlocks::Open(files, folder, kDocument, {}, OpenFor::kAppending);
  if (!blocks.ok()) return blocks.error();
  const Result<uint64_t> fingerprint = ModelFingerprint(sessions.front()->model()->info().path);
  if (!fingerprint.ok()) return fingerprint.error();
  std::vector<std::vector<std::byte>> states;
  for (Session::Impl* session : sessions) {
    Result<std::vector<std::byte>> state = session->Save(*blocks);
    if (!state.ok()) return state.error();
    states.push_back(std::move(*state));
  }
  if (Status status = (*blocks)->Sync(); !status.ok()) return status;
  StateWriter writer;
  writer.Put(kMagic);
  writer.Put(kVersion);
  writer.Put(*fingerprint);
  writer.PutAll((*blocks)->lengths());
  writer.Put<uint64_t>(states.size());
  for (const std::vector<std::byte>& state : states) writer.PutAll(state);
  writer.Put(Checksum(writer.bytes()));
  Result<std::unique_ptr<File>> file = files.Open(folder + "/sessions", OpenFor::kCreating);
  if (!file.ok()) return file.error();
  if (Status status = (*file)->Append(writer.bytes()); !status.ok()) return status;
  if (Status status = (*file)->Sync(); !status.ok()) return status;
  return files.SyncFolder(folder);
}

Status RemoveFolderIfThere(FileSystem& files, const std::string& parent, const std::string& name) {
  const Result<std::vector<std::string>> names = files.List(parent);
  if (!names.ok()) return names.error();
  const bool there = std::find(names->begin(), names->end(), name) != names->end();
  return there ? files.RemoveFolder(parent + "/" + name) : Status();
}

}  // namespace

Status KeepSessions(FileSystem& files, const std::string& folder, const std::vector<Session::Impl*>& sessions) {
  if (Status status = files.MakeFolder(folder); !status.ok()) return status;
  if (Status status = RemoveFolderIfThere(files, folder, "kept.new"); !status.ok()) return status;
  if (!sessions.empty()) {
    if (Status status = WriteSessions(files, folder + "/kept.new", sessions); !status.ok()) return status;
  }
  if (Status status = RemoveFolderIfThere(files, folder, "kept"); !status.ok()) return status;
  if (sessions.empty()) return {};
  if (Status status = files.Rename(folder + "/kept.new", folder + "/kept"); !status.ok()) return status;
  return files.SyncFolder(folder);
}

Result<std::vector<std::unique_ptr<Session::Impl>>> BringBackSessions(FileSystem& files, const std::string& folder,
                                                                      const std::shared_ptr<Model>& model,
                                                                      const std::shared_ptr<Tier>& tier) {
  std::vector<std::unique_ptr<Session::Impl>> sessions;
  const std::string path = folder + "/kept/sessions";
  const Result<std::vector<std::byte>> bytes = ReadWhole(files, path, kMostBytes);
  if (!bytes.ok() && bytes.error().code == ErrorCode::kNotFound) return sessions;
  if (!bytes.ok()) return bytes.error();
  StateReader reader(*bytes);
  if (bytes->size() < sizeof(uint64_t) || reader.Get<uint64_t>() != kMagic || reader.Get<uint32_t>() != kVersion) {
    return Error{ErrorCode::kUnsupported, fmt::format("{}: not sessions that this version kept", path)};
  }
  const std::span<const std::byte> body = std::span(*bytes).first(bytes->size() - sizeof(uint64_t));
  if (StateReader(std::span(*bytes).subspan(body.size())).Get<uint64_t>() != Checksum(body)) {
    return Error{ErrorCode::kCorrupt, fmt::format("{}: the checksum is wrong", path)};
  }
  const Result<uint64_t> fingerprint = ModelFingerprint(model->info().path);
  if (!fingerprint.ok()) return fingerprint.error();
  if (reader.Get<uint64_t>() != *fingerprint) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("{}: another model read this", path)};
  }
  const std::vector<int64_t> lengths = reader.GetAll<int64_t>();
  Result<std::shared_ptr<DocumentBlocks>> blocks =
      DocumentBlocks::Open(files, folder + "/kept", kDocument, lengths, OpenFor::kReading);
  if (!blocks.ok()) return blocks.error();
  for (int64_t left = reader.GetCount(sizeof(uint64_t)); left > 0 && reader.ok(); --left) {
    const std::vector<uint8_t> state = reader.GetAll<uint8_t>();
    if (!reader.ok()) break;
    Result<std::unique_ptr<Session::Impl>> session =
        Session::Impl::Restore(model, {std::as_bytes(std::span(state)), *blocks}, tier);
    if (!session.ok()) return session.error();
    sessions.push_back(std::move(*session));
  }
  if (Status status = reader.status(); !status.ok()) return status.error();
  return sessions;
}

}  // namespace ltri
