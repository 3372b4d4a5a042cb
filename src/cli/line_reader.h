// LineReader: lines from standard input, a person's or a pipe's.
#ifndef LTRI_CLI_LINE_READER_H_
#define LTRI_CLI_LINE_READER_H_

#include <optional>
#include <string>

namespace ltri {

class LineReader {
 public:
  // prompt: written to standard error before each line; may be empty.
  explicit LineReader(std::string prompt) : prompt_(std::move(prompt)) {}

  // The next line without its end; nothing at the end of the input, or when a signal came instead of a line.
  std::optional<std::string> Next();

 private:
  std::string prompt_;
};

}  // namespace ltri

#endif  // LTRI_CLI_LINE_READER_H_
