#include "eval/run/results_store.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "eval/tasks/data_folder.h"

namespace ltri {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string SamplesPath(const std::string& folder) { return (fs::path(folder) / "samples.jsonl").string(); }

std::string LineOf(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

// The first field that differs, for the message; empty when both are the same.
std::string Difference(const Json& before, const Json& now) {
  for (const auto& [key, value] : now.items()) {
    const Json old = before.value(key, Json());
    if (old != value) return fmt::format("{} was {}, now {}", key, old.dump(), value.dump());
  }
  return "";
}

}  // namespace

Result<StoredRun> ReadRun(const std::string& folder) {
  const std::string path = fs::is_directory(folder) ? SamplesPath(folder) : folder;
  const Result<std::vector<Json>> rows = DataFolder::ReadJsonl(path);
  if (!rows.ok()) return rows.error();
  StoredRun stored;
  for (size_t i = 0; i < rows->size(); ++i) {
    if (i == 0 && (*rows)[i].contains("run")) {
      stored.run = (*rows)[i]["run"];
      continue;
    }
    Result<Record> record = RecordFromJson((*rows)[i]);
    if (!record.ok())
      return Error{record.error().code, fmt::format("{}, line {}: {}", path, i + 1, record.error().message)};
    stored.records.push_back(std::move(*record));
  }
  return stored;
}

Status ResultsStore::Load(const std::string& path, const Json& run) {
  // A stop may have cut the last line off.
  const Result<std::string> text = DataFolder::ReadText(path);
  if (!text.ok()) return text.error();
  const size_t end = text->rfind('\n');
  const size_t whole = end == std::string::npos ? 0 : end + 1;
  std::error_code error;
  if (whole < text->size()) fs::resize_file(path, whole, error);
  if (error) return Error{ErrorCode::kIo, fmt::format("{}: {}", path, error.message())};
  if (whole == 0) return {};
  Result<StoredRun> stored = ReadRun(path);
  if (!stored.ok()) return stored.error();
  if (const std::string difference = Difference(stored->run, run); !difference.empty()) {
    return Error{
        ErrorCode::kInvalidArgument,
        fmt::format("--resume: {} holds another run ({}); name another folder with --output", path, difference)};
  }
  records_ = std::move(stored->records);
  for (const Record& record : records_) done_.emplace(record.target, record.id);
  return {};
}

Result<ResultsStore> ResultsStore::Open(const std::string& folder, const Json& run, bool resume) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Error{ErrorCode::kIo, fmt::format("--output: cannot make {}: {}", folder, error.message())};
  ResultsStore store;
  store.path_ = SamplesPath(folder);
  const bool there = fs::exists(store.path_, error) && fs::file_size(store.path_, error) > 0;
  if (there && !resume) {
    return Error{
        ErrorCode::kInvalidArgument,
        fmt::format("{} holds results already: go on with --resume, or name another folder with --output", folder)};
  }
  if (there) {
    if (Status status = store.Load(store.path_, run); !status.ok()) return status.error();
  }
  const bool fresh = !there || fs::file_size(store.path_, error) == 0;
  store.file_.open(store.path_, std::ios::binary | std::ios::app);
  if (fresh) store.file_ << LineOf({{"run", run}}) << std::flush;
  if (!store.file_) return Error{ErrorCode::kIo, fmt::format("cannot write {}: {}", store.path_, std::strerror(errno))};
  return store;
}

Status ResultsStore::Add(Record record) {
  done_.emplace(record.target, record.id);
  records_.push_back(std::move(record));
  if (path_.empty()) return {};
  file_ << LineOf(RecordJson(records_.back())) << std::flush;
  if (!file_) return Error{ErrorCode::kIo, fmt::format("cannot write {}: {}", path_, std::strerror(errno))};
  return {};
}

}  // namespace ltri
