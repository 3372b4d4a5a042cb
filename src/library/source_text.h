// SourceText: a text file, read once in pieces that tokenise as the whole file would.
//
// What was read before is recognised by length and checksum, so that reading goes on where it stopped, also when the
// file has grown since. Thread safety: one caller at a time.
#ifndef LTRI_LIBRARY_SOURCE_TEXT_H_
#define LTRI_LIBRARY_SOURCE_TEXT_H_

#include <cstdint>
#include <memory>
#include <string>

#include "base/checksum.h"
#include "base/file.h"
#include "library/document_record.h"
#include "text/tokenizer.h"

namespace ltri {

class SourceText {
 public:
  // `known`: the path, and what was read before. Errors: kNotFound, kIo; kInvalidArgument when the file does not begin
  // with what was read.
  static Result<SourceText> Open(FileSystem& files, const Source& known);

  // The next piece, of about `bytes` bytes; empty when there is none now. partial_end: the last piece may end within a
  // line, which is right for a file that will not grow. Error kInvalidArgument names the first byte that is not UTF-8.
  Result<std::string> Next(const Tokenizer& tokenizer, size_t bytes, bool partial_end);

  // What was handed out so far.
  Source source() const;
  // Bytes in the file now that were not handed out.
  Result<int64_t> Left() const;

 private:
  SourceText(std::unique_ptr<File> file, const Source& known) : file_(std::move(file)), source_(known) {}

  Status CheckBeginning();
  Status Fill(size_t bytes);
  Result<size_t> Whole(bool partial_end) const;

  std::unique_ptr<File> file_;
  Source source_;
  RunningChecksum checksum_;
  std::string buffer_;  // read, not handed out
};

}  // namespace ltri

#endif  // LTRI_LIBRARY_SOURCE_TEXT_H_
