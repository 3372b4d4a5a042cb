// Library: documents that a model has read once and that are kept on disk, to be asked at any time.
//
// What a call committed survives a crash at any moment. One process may write to a library at a time, any number may
// read; docs/library.md says what is promised.
#ifndef LTRI_LIBRARY_H_
#define LTRI_LIBRARY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ltri/export.h"
#include "ltri/model.h"
#include "ltri/options.h"
#include "ltri/result.h"
#include "ltri/session.h"

namespace ltri {

struct DocumentSource {
  std::string path;
  int64_t bytes = 0;  // read so far
};

struct DocumentInfo {
  std::string name;
  std::string fingerprint;  // of the model it was read with: 16 hexadecimal digits
  std::string model_path;   // where that lay
  std::string method;
  int64_t sinks = 0;  // tokens, like the next three
  int64_t window = 0;
  int64_t budget = 0;
  int64_t block = 0;
  bool plain = false;   // read without the model's chat template
  int64_t created = 0;  // seconds since 1970
  int64_t updated = 0;  // the last commit
  int64_t commits = 0;
  int64_t tokens = 0;
  int64_t text_bytes = 0;
  int64_t stored_bytes = 0;
  bool finished = false;  // read to the end of its sources
  std::vector<DocumentSource> sources;
  std::vector<int64_t> spans;  // [layers] as far as they are committed; for Show only
};

struct IndexOptions {
  SessionOptions session;       // for a new document; one that goes on keeps its own
  int64_t commit_every = 4096;  // tokens
  bool plain = false;           // without the model's chat template; for a new document
  bool follow = false;          // wait for the last file to grow, until the callback stops it
  int64_t memory = 0;           // bytes of RAM for keys, values and index; 0: half of what is free
};

struct AskOptions {
  GenerateOptions answer;
  int64_t citations = 5;  // at most
  int64_t memory = 0;     // bytes of RAM for keys, values and index; 0: half of what is free
};

// A passage that the answer drew on.
struct Citation {
  std::string document;
  std::string file;
  int64_t byte_begin = 0;  // in the file
  int64_t byte_end = 0;
  std::string text;  // its beginning, in one line
  double share = 0;  // of all votes since the question
};

struct Answer {
  Generation generation;
  std::vector<Citation> citations;  // the largest share first
  int64_t document_tokens = 0;
  int64_t question_tokens = 0;
  double open_seconds = 0;         // until the documents were open
  double first_token_seconds = 0;  // until the first token of the answer, from the call on
  double seconds = 0;              // until the last one
};

struct LibraryDamage {
  std::string document;  // its name; empty: the catalogue
  std::string what;      // with file and offset
};

struct VerifyReport {
  int64_t documents = 0;
  int64_t blocks = 0;
  int64_t bytes = 0;
  std::vector<LibraryDamage> damage;
};

struct RepairReport {
  std::vector<std::string> repaired;  // what was done, a line each
  std::vector<LibraryDamage> left;    // what cannot be repaired; such a document has to be indexed again
};

// Thread-safe: it holds nothing open between two calls. Errors of all calls: kNotFound (library, document, file), kIo
// (the disk; another process writes, with its id, host and since when), kCorrupt (file and offset), kUnsupported
// (another version), kInvalidArgument (names, options; a model that is not the one the document was read with, with
// both fingerprints).
class LTRI_API Library {
 public:
  // $LTRI_LIBRARY, or $XDG_DATA_HOME/ltri/library, or ~/.local/share/ltri/library.
  static Result<std::string> DefaultFolder();

  // The library in `folder`, which the first Index or Import makes.
  explicit Library(std::string folder) : folder_(std::move(folder)) {}

  const std::string& folder() const { return folder_; }

  // Reads files, one after another, into the document `name`, with a commit every so many tokens. A document that is
  // there already goes on where it was committed last: `files` then begin with those it was read from (or are none),
  // and what they have grown by since, and what follows them, is read. Stopped by the callback, it commits and returns
  // kCancelled (following: the document). Progress counts the tokens of this call; its total is an estimate.
  Result<DocumentInfo> Index(const std::shared_ptr<Model>& model, const std::string& name,
                             const std::vector<std::string>& files, const IndexOptions& options = {},
                             const ProgressCallback& progress = {}) const;

  // Answers from the documents, which stay as they are. `callback` gets the answer as it comes.
  Result<Answer> Ask(const std::shared_ptr<Model>& model, const std::vector<std::string>& names,
                     const std::string& question, const AskOptions& options = {},
                     const TextCallback& callback = {}) const;

  // A session that has read the documents; and what to append to it, for the model to answer `question`.
  Result<Session> OpenSession(const std::shared_ptr<Model>& model, const std::vector<std::string>& names,
                              int64_t memory = 0) const;
  Result<std::vector<TokenId>> QuestionTokens(const Model& model, const std::string& name,
                                              std::string_view question) const;

  Result<std::vector<DocumentInfo>> List() const;  // by name
  Result<DocumentInfo> Show(const std::string& name) const;

  // Looks at every byte of the documents (none named: of all) and tells what is damaged. Progress is in bytes.
  Result<VerifyReport> Verify(const std::vector<std::string>& names = {}, const ProgressCallback& progress = {}) const;

  // Removes what interrupted runs left, makes a damaged catalogue anew from the documents, and takes a document whose
  // last commit is damaged back to the one before. What verify finds then is in `left`.
  Result<RepairReport> Repair(const ProgressCallback& progress = {}) const;

  Status Remove(const std::string& name) const;

  // Writes a document anew without what later commits replaced. Returns the bytes that became free.
  Result<int64_t> Compact(const std::shared_ptr<Model>& model, const std::string& name) const;

  // One document as one file, which must not exist; and back, under its name or another.
  Status Export(const std::string& name, const std::string& path) const;
  Result<DocumentInfo> Import(const std::string& path, const std::string& name = "") const;

 private:
  std::string folder_;
};

}  // namespace ltri

#endif  // LTRI_LIBRARY_H_
