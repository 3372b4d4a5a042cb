#include "library/verify.h"

#include <fmt/format.h>

#include <chrono>
#include <numeric>

#include "library/format.h"
#include "library/segment_file.h"
#include "library/state_file.h"

namespace ltri {
namespace {

// One run over the documents.
class Verifier {
 public:
  Verifier(Store& store, VerifyReport& report, const ProgressCallback& progress, int64_t total)
      : store_(store), report_(report), progress_(progress), total_(total) {}

  // Error kCancelled.
  Status Document(const DocumentRecord& record) {
    ++report_.documents;
    document_ = record.name;
    const std::string folder = store_.FolderOf(record.id);
    const Result<DocumentState> state = ReadState(store_.files(), folder, record.id, record.generation);
    if (!state.ok()) {
      Damaged(state.error().message);
    } else if (state->record != record) {
      Damaged(fmt::format("{}/{}: the catalogue says something else of the document", folder,
                          StateName(record.generation)));
    }
    for (size_t i = 0; i < record.segments.size(); ++i) {
      if (Status status = Segment(folder, record, static_cast<int64_t>(i) + 1); !status.ok()) return status;
    }
    return {};
  }

 private:
  Status Segment(const std::string& folder, const DocumentRecord& record, int64_t number) {
    const int64_t end = record.segments[static_cast<size_t>(number - 1)];
    const Result<SegmentFile> segment = SegmentFile::Open(store_.files(), folder + "/" + SegmentName(number), record.id,
                                                          number, end, OpenFor::kReading);
    if (!segment.ok()) {
      Damaged(segment.error().message);
      report_.bytes += end;
      return {};
    }
    report_.bytes += SegmentFile::kHeaderBytes;
    for (int64_t offset = SegmentFile::kHeaderBytes; offset < end;) {
      Result<int64_t> next = segment->Check(offset, end);
      if (!next.ok()) {
        Damaged(next.error().message);
        next = segment->FindBlock(offset + SegmentFile::kBlockAlignment, end);
        if (!next.ok()) return next.error();
      }
      ++report_.blocks;
      report_.bytes += *next - offset;
      offset = *next;
      if (!GoOn()) return Error{ErrorCode::kCancelled, "stopped"};
    }
    return {};
  }

  bool GoOn() const {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start_;
    return !progress_ || progress_({report_.bytes, total_, seconds.count()});
  }
  void Damaged(const std::string& what) { report_.damage.push_back({document_, what}); }

  Store& store_;
  VerifyReport& report_;
  const ProgressCallback& progress_;
  const int64_t total_;  // bytes
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::string document_;
};

}  // namespace

Result<VerifyReport> VerifyDocument(Store& store, const DocumentRecord& record, const ProgressCallback& progress) {
  VerifyReport report;
  if (Status status = Verifier(store, report, progress, record.stored_bytes()).Document(record); !status.ok()) {
    return status.error();
  }
  return report;
}

Result<VerifyReport> VerifyStore(Store& store, const std::vector<std::string>& names,
                                 const ProgressCallback& progress) {
  VerifyReport report;
  if (const Status status = store.catalogue().Check(); !status.ok()) {
    report.damage.push_back({"", status.error().message});
  }
  std::vector<DocumentRecord> records;
  Result<std::vector<std::string>> all = store.catalogue().Names();
  if (!all.ok()) {
    report.damage.push_back({"", all.error().message});
    return report;
  }
  for (const std::string& name : names.empty() ? *all : names) {
    Result<DocumentRecord> record = store.catalogue().Find(name);
    if (record.ok()) {
      records.push_back(std::move(*record));
    } else if (record.error().code == ErrorCode::kNotFound) {
      return record.error();
    } else {
      report.damage.push_back({name, record.error().message});
    }
  }
  const int64_t total = std::accumulate(records.begin(), records.end(), int64_t{0},
                                        [](int64_t sum, const auto& record) { return sum + record.stored_bytes(); });
  Verifier verifier(store, report, progress, total);
  for (const DocumentRecord& record : records) {
    if (Status status = verifier.Document(record); !status.ok()) return status.error();
  }
  return report;
}

}  // namespace ltri
