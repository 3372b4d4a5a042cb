#include "cli/line_reader.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace ltri {

std::optional<std::string> LineReader::Next() {
  if (!prompt_.empty()) {
    fmt::print(stderr, "{}", prompt_);
    std::fflush(stderr);
  }
  char* buffer = nullptr;
  size_t capacity = 0;
  const ssize_t length = getline(&buffer, &capacity, stdin);
  std::optional<std::string> line;
  if (length >= 0) line.emplace(buffer, static_cast<size_t>(length));
  std::free(buffer);
  if (length < 0) std::clearerr(stdin);  // a signal is no end
  while (line && (line->ends_with('\n') || line->ends_with('\r'))) line->pop_back();
  return line;
}

}  // namespace ltri
