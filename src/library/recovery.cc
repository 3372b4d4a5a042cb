#include "library/recovery.h"

#include <set>

#include "library/format.h"

namespace ltri {
namespace {

Status CutTail(FileSystem& files, const std::string& path, int64_t committed) {
  Result<std::unique_ptr<File>> file = files.Open(path, OpenFor::kAppending);
  if (!file.ok()) return file.error();
  const Result<int64_t> size = (*file)->Size();
  if (!size.ok()) return size.error();
  if (*size <= committed) return {};
  if (Status status = (*file)->Truncate(committed); !status.ok()) return status;
  return (*file)->Sync();
}

Status RecoverDocument(FileSystem& files, const std::string& folder, const DocumentRecord& record) {
  const Result<std::vector<std::string>> names = files.List(folder);
  if (!names.ok() && names.error().code == ErrorCode::kNotFound) return {};
  if (!names.ok()) return names.error();
  const auto segments = static_cast<int64_t>(record.segments.size());
  for (const std::string& name : *names) {
    Status status;
    const std::optional<int64_t> segment = ParseSegmentName(name);
    const std::optional<int64_t> state = ParseStateName(name);
    if (segment && *segment <= segments) {
      status = CutTail(files, folder + "/" + name, record.segments[static_cast<size_t>(*segment - 1)]);
    } else if (segment || (state && *state != record.generation && *state != record.generation - 1)) {
      status = files.Remove(folder + "/" + name);
    }
    if (!status.ok()) return status;
  }
  return {};
}

}  // namespace

Status Recover(FileSystem& files, const std::string& folder, Catalogue& catalogue) {
  const Result<std::vector<DocumentRecord>> records = catalogue.All();
  if (!records.ok()) return records.error();
  std::set<std::string> known;
  for (const DocumentRecord& record : *records) {
    known.insert(IdText(record.id));
    if (Status status = RecoverDocument(files, folder + "/" + IdText(record.id), record); !status.ok()) return status;
  }
  const Result<std::vector<std::string>> names = files.List(folder);
  if (!names.ok()) return names.error();
  for (const std::string& name : *names) {
    if (!ParseId(name) || known.contains(name)) continue;
    if (Status status = files.RemoveFolder(folder + "/" + name); !status.ok()) return status;
  }
  return {};
}

}  // namespace ltri
