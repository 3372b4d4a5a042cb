// Indexer: reads files into a document, commit by commit. One run of Library::Index.
#ifndef LTRI_LIBRARY_INDEXER_H_
#define LTRI_LIBRARY_INDEXER_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "library/document_session.h"
#include "library/document_writer.h"
#include "library/source_text.h"
#include "library/store.h"
#include "library/token_bytes.h"
#include "ltri/library.h"

namespace ltri {

class Indexer {
 public:
  // All outlive the run. options.memory is a budget, not 0.
  Indexer(Store& store, std::shared_ptr<Model> model, const IndexOptions& options, const ProgressCallback& progress)
      : store_(store), model_(std::move(model)), options_(options), progress_(progress) {}

  Status Run(const std::string& name, const std::vector<std::string>& files);

 private:
  Status Begin(const std::string& name, const std::vector<std::string>& files);
  Status BeginNew(const std::string& name, uint64_t fingerprint);
  Status GoOn(const std::string& name, uint64_t fingerprint);
  void AddSources();
  size_t LastSource() const;
  Status FindTextEnd();
  Status CountBytes();

  Status ReadFiles();
  Status ReadSource(Source& source, bool partial_end);
  Status ReadPiece(const std::string& text);
  Status Follow();
  Status Commit(bool finished);
  Result<std::vector<SpanRow>> NewSpans();
  int64_t OpenToken() const;
  bool Report(int64_t done) const;
  std::string Separator() const;

  Store& store_;
  const std::shared_ptr<Model> model_;
  const IndexOptions& options_;
  const ProgressCallback& progress_;

  std::unique_ptr<DocumentWriter> writer_;
  std::optional<DocumentSession> session_;
  std::vector<std::string> files_;         // absolute
  std::vector<Source> sources_;            // the same, with what was read of each
  std::optional<SourceText> text_source_;  // the one that is being read

  TextBlock text_;                   // since the last commit
  std::string text_end_;             // the last characters of all text
  std::optional<TokenBytes> bytes_;  // of the tokens that spans may still be cut from
  std::vector<int64_t> span_ends_;   // [layers] where the committed spans end

  // Of this run, for progress:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  int64_t bytes_left_ = 0;  // in the files
  int64_t bytes_taken_ = 0;
  int64_t tokens_taken_ = 0;
  int64_t tokens_read_ = 0;
};

}  // namespace ltri

#endif  // LTRI_LIBRARY_INDEXER_H_
