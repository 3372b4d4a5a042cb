// Documents: the library's documents for a server: uploaded, read in the background, answered from.
//
// Thread-safe. One document is read at a time, in the order of their coming.
#ifndef LTRI_SERVE_DOCUMENTS_H_
#define LTRI_SERVE_DOCUMENTS_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/session_impl.h"
#include "ltri/library.h"

namespace ltri {

enum class ReadingState { kUploading, kWaiting, kReading, kReady, kFailed };

struct DocumentStatus {
  std::string name;
  ReadingState state = ReadingState::kWaiting;
  Progress progress;    // tokens; the total is an estimate
  std::string error;    // kFailed: why; kWaiting: for what
  int64_t tokens = 0;   // kReady
  int64_t bytes = 0;    // of the text
  int64_t created = 0;  // seconds since 1970
};

// A session that has read documents, and what tells of it afterwards.
struct DocumentQuestion {
  std::unique_ptr<Session::Impl> session;
  std::vector<TokenId> tokens;  // that the session is to go on with
  // Where the answer came from: bytes of the documents' texts. While the session lives.
  std::function<Result<std::vector<Citation>>()> citations;
};

class Documents {
 public:
  // tier: of the sessions that answer. folder: of the library; uploads are kept beside it until they have been read,
  // and those that no earlier run read to their end are read on. memory: bytes of RAM for the document that is being
  // read. pace: called between two blocks of a document, with the seconds that the last one took; it waits as long as
  // others are to have the model.
  Documents(std::shared_ptr<Model> model, std::shared_ptr<Tier> tier, const std::string& folder,
            const SessionOptions& session, int64_t memory, std::function<void(double)> pace);
  ~Documents();
  Documents(const Documents&) = delete;
  Documents& operator=(const Documents&) = delete;

  // An upload begins: the name is taken, and the result is where its text is to be put. Either Add or GiveUp follows.
  // Errors: kInvalidArgument (the name, or there is one), kIo.
  Result<std::string> Begin(const std::string& name);
  // The text is there and is read when its turn comes. Error kIo.
  Status Add(const std::string& name);
  // There will be no text.
  void GiveUp(const std::string& name);

  Result<std::vector<DocumentStatus>> List();
  Result<DocumentStatus> Find(const std::string& name);
  // Reading stops for it, that of other documents too, and goes on afterwards. Errors: kNotFound, kIo, kCorrupt, and
  // kCancelled while it is being uploaded or another process writes to the library.
  Status Remove(const std::string& name);

  // Bytes [begin, end) of a document's text, as far as it goes; at most 1 MiB.
  Result<std::string> Text(const std::string& name, int64_t begin, int64_t end);

  Result<DocumentQuestion> Ask(const std::vector<std::string>& names, const std::string& question);

 private:
  void Resume();
  void ReadAll();
  Status Read(const std::string& name);
  void Queue(const std::string& name);
  Status RemoveFiles(const std::string& name);
  bool OthersWrite(const Status& status) const;
  // No document's name begins with a dot.
  std::string PartialPathOf(const std::string& name) const { return uploads_ + "/." + name; }
  std::string PathOf(const std::string& name) const { return uploads_ + "/" + name; }

  std::shared_ptr<Model> model_;
  std::shared_ptr<Tier> tier_;
  Library library_;
  std::string uploads_;
  SessionOptions session_;
  int64_t memory_;
  std::function<void(double)> pace_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<std::string> waiting_;
  std::map<std::string, DocumentStatus> unready_;  // by name: all but those that are ready
  int64_t removing_ = 0;                           // callers of Remove, who need the library to themselves
  bool reading_ = false;
  bool stopped_ = false;
  std::thread reader_;
};

}  // namespace ltri

#endif  // LTRI_SERVE_DOCUMENTS_H_
