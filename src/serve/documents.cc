#include "serve/documents.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/file.h"
#include "library/format.h"
#include "library/library_lock.h"
#include "library/open_documents.h"
#include "library/store.h"
#include "library/stored_document.h"

namespace ltri {
namespace {

constexpr int64_t kMostCitations = 8;
constexpr int64_t kMostText = int64_t{1} << 20;  // bytes at once
constexpr std::chrono::seconds kRetry{2};        // while another process writes to the library

struct Opened {
  std::unique_ptr<Store> store;
  OpenDocuments documents;
};

// Citations name bytes of the files that were read; clients see documents, which may be of several files.
Result<std::vector<Citation>> CitationsInText(Store& store, const OpenDocuments& documents) {
  Result<std::vector<Citation>> citations = documents.Citations(kMostCitations);
  if (!citations.ok()) return citations;
  for (Citation& citation : *citations) {
    const Result<DocumentRecord> record = store.catalogue().Find(citation.document);
    if (!record.ok()) return record.error();
    const auto source = std::find_if(record->sources.begin(), record->sources.end(),
                                     [&](const Source& one) { return one.path == citation.file; });
    if (source == record->sources.end()) continue;
    citation.byte_begin += source->text_begin - source->skipped;
    citation.byte_end += source->text_begin - source->skipped;
  }
  return citations;
}

DocumentStatus Ready(const DocumentInfo& info) {
  DocumentStatus status;
  status.name = info.name;
  status.state = info.finished ? ReadingState::kReady : ReadingState::kFailed;
  if (!info.finished) status.error = "it was not read to its end; delete it and upload it again";
  status.tokens = info.tokens;
  status.bytes = info.text_bytes;
  status.created = info.created;
  return status;
}

}  // namespace

Documents::Documents(std::shared_ptr<Model> model, std::shared_ptr<Tier> tier, const std::string& folder,
                     const SessionOptions& session, int64_t memory, std::function<void(double)> pace)
    : model_(std::move(model)),
      tier_(std::move(tier)),
      library_(folder),
      uploads_(folder + "-uploads"),
      session_(session),
      memory_(memory),
      pace_(std::move(pace)) {
  // Made before anyone looks into it: a catalogue that is half made looks damaged. Who cannot write may still read.
  if (!library_.List().ok()) (void)Store::Open(FileSystem::Posix(), folder, Access::kWrite);
  Resume();
  reader_ = std::thread([this] { ReadAll(); });
}

Documents::~Documents() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  reader_.join();
}

void Documents::Resume() {
  const Result<std::vector<std::string>> uploads = FileSystem::Posix().List(uploads_);
  if (!uploads.ok()) return;  // nothing was uploaded yet
  for (const std::string& name : *uploads) {
    const Result<DocumentInfo> info = library_.Show(name);
    if (!CheckDocumentName(name).ok() || (info.ok() && info->finished)) {  // half of one, or it was read
      (void)FileSystem::Posix().Remove(PathOf(name));
    } else {
      Queue(name);
    }
  }
}

Result<std::string> Documents::Begin(const std::string& name) {
  if (Status status = CheckDocumentName(name); !status.ok()) return status.error();
  if (Status status = FileSystem::Posix().MakeFolder(uploads_); !status.ok()) return status.error();
  const Result<DocumentInfo> stored = library_.Show(name);
  if (!stored.ok() && stored.error().code != ErrorCode::kNotFound) return stored.error();
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto unready = unready_.find(name);
  const bool failed = unready != unready_.end() && unready->second.state == ReadingState::kFailed;
  if (stored.ok() || (unready != unready_.end() && !failed)) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("there is a document '{}'; delete it first", name)};
  }
  unready_[name] = {};
  unready_[name].name = name;
  unready_[name].state = ReadingState::kUploading;
  return PartialPathOf(name);
}

Status Documents::Add(const std::string& name) {
  FileSystem& files = FileSystem::Posix();
  if (Status status = files.Rename(PartialPathOf(name), PathOf(name)); !status.ok()) return status;
  if (Status status = files.SyncFolder(uploads_); !status.ok()) return status;
  Queue(name);
  return {};
}

void Documents::Queue(const std::string& name) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    DocumentStatus& status = unready_[name];
    std::error_code ignored;
    status.name = name;
    status.state = ReadingState::kWaiting;
    status.bytes = static_cast<int64_t>(std::filesystem::file_size(PathOf(name), ignored));
    waiting_.push_back(name);
  }
  changed_.notify_all();
}

void Documents::GiveUp(const std::string& name) {
  (void)RemoveIfThere(FileSystem::Posix(), PartialPathOf(name));
  const std::lock_guard<std::mutex> lock(mutex_);
  unready_.erase(name);
}

Result<std::vector<DocumentStatus>> Documents::List() {
  std::map<std::string, DocumentStatus> all;
  const Result<std::vector<DocumentInfo>> infos = library_.List();
  if (!infos.ok() && infos.error().code != ErrorCode::kNotFound) return infos.error();
  if (infos.ok()) {
    for (const DocumentInfo& info : *infos) all[info.name] = Ready(info);
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [name, status] : unready_) all[name] = status;
  std::vector<DocumentStatus> list;
  for (auto& [name, status] : all) list.push_back(std::move(status));
  return list;
}

Result<DocumentStatus> Documents::Find(const std::string& name) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = unready_.find(name);
    if (found != unready_.end()) return found->second;
  }
  if (Status status = CheckDocumentName(name); !status.ok()) return status.error();
  const Result<DocumentInfo> info = library_.Show(name);
  if (!info.ok()) return Error{ErrorCode::kNotFound, fmt::format("there is no document '{}'", name)};
  return Ready(*info);
}

Status Documents::Remove(const std::string& name) {
  const Result<DocumentStatus> found = Find(name);
  if (!found.ok()) return found.error();
  {
    std::unique_lock<std::mutex> lock(mutex_);
    const auto unready = unready_.find(name);
    if (unready != unready_.end() && unready->second.state == ReadingState::kUploading) {
      return Error{ErrorCode::kCancelled, fmt::format("'{}' is being uploaded", name)};
    }
    ++removing_;
    changed_.wait(lock, [this] { return !reading_; });
  }
  Status removed = RemoveFiles(name);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    --removing_;
    if (removed.ok()) {
      std::erase(waiting_, name);
      unready_.erase(name);
    }
  }
  changed_.notify_all();
  return removed;
}

// Whether this failed because another process writes to the library.
bool Documents::OthersWrite(const Status& status) const {
  if (status.ok() || status.error().code != ErrorCode::kIo) return false;
  const Result<std::unique_ptr<File>> lock = FileSystem::Posix().Lock(LibraryLock::PathIn(library_.folder()));
  return lock.ok() && *lock == nullptr;
}

Status Documents::RemoveFiles(const std::string& name) {
  Status removed = library_.Remove(name);
  if (OthersWrite(removed)) return Error{ErrorCode::kCancelled, removed.error().message};
  const bool never_read = !removed.ok() && removed.error().code == ErrorCode::kNotFound;
  return removed.ok() || never_read ? RemoveIfThere(FileSystem::Posix(), PathOf(name)) : removed;
}

Result<std::string> Documents::Text(const std::string& name, int64_t begin, int64_t end) {
  if (Status status = CheckDocumentName(name); !status.ok()) return status.error();
  Result<std::unique_ptr<Store>> store = Store::Open(FileSystem::Posix(), library_.folder(), Access::kRead);
  if (!store.ok()) return store.error();
  const Result<StoredDocument> document = StoredDocument::Open(**store, name);
  if (!document.ok()) return document.error();
  begin = std::clamp<int64_t>(begin, 0, document->record().text_bytes);
  return document->Bytes(begin, std::clamp(end, begin, begin + kMostText));
}

Result<DocumentQuestion> Documents::Ask(const std::vector<std::string>& names, const std::string& question) {
  for (const std::string& name : names) {
    const Result<DocumentStatus> found = Find(name);
    if (!found.ok()) return found.error();
    if (found->state == ReadingState::kReady) continue;
    return Error{ErrorCode::kInvalidArgument, fmt::format("document '{}' has not been read yet", name)};
  }
  Result<std::unique_ptr<Store>> store = Store::Open(FileSystem::Posix(), library_.folder(), Access::kRead);
  if (!store.ok()) return store.error();
  Result<OpenDocuments> opened = OpenDocuments::Open(**store, model_, names, tier_);
  if (!opened.ok()) return opened.error();
  auto open = std::make_shared<Opened>(Opened{std::move(*store), std::move(*opened)});
  Result<std::vector<TokenId>> tokens = open->documents.frame().Question(*model_, question);
  if (!tokens.ok()) return tokens.error();
  DocumentQuestion result;
  result.session = Session::Impl::TakeFrom(std::move(open->documents.session()).Take());
  result.tokens = std::move(*tokens);
  // They look at the session wherever it is now.
  result.citations = [open] { return CitationsInText(*open->store, open->documents); };
  return result;
}

void Documents::ReadAll() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopped_ || (!waiting_.empty() && removing_ == 0); });
    if (stopped_) return;
    const std::string name = std::move(waiting_.front());
    waiting_.pop_front();
    unready_[name].state = ReadingState::kReading;
    unready_[name].error.clear();
    reading_ = true;
    lock.unlock();
    const Status read = Read(name);
    lock.lock();
    reading_ = false;
    changed_.notify_all();
    if (read.ok()) {
      unready_.erase(name);
      continue;
    }
    // Who was interrupted goes on first.
    const bool stopped = read.error().code == ErrorCode::kCancelled;
    const bool locked = OthersWrite(read);
    DocumentStatus& status = unready_[name];
    status.state = stopped || locked ? ReadingState::kWaiting : ReadingState::kFailed;
    if (!stopped) status.error = read.error().message;
    if (stopped || locked) waiting_.push_front(name);
    if (locked) changed_.wait_for(lock, kRetry, [this] { return stopped_ || removing_ > 0; });
  }
}

// Error kCancelled when it was stopped.
Status Documents::Read(const std::string& name) {
  if (!std::filesystem::exists(PathOf(name))) return {};  // another server of this library has read it
  IndexOptions options;
  options.session = session_;
  options.memory = memory_;
  double last = 0;
  const Result<DocumentInfo> info = library_.Index(model_, name, {PathOf(name)}, options, [&](const Progress& now) {
    pace_(now.seconds - last);
    last = now.seconds;
    const std::lock_guard<std::mutex> lock(mutex_);
    unready_[name].progress = now;
    return !stopped_ && removing_ == 0;
  });
  if (!info.ok()) return info.error();
  return RemoveIfThere(FileSystem::Posix(), PathOf(name));
}

}  // namespace ltri
