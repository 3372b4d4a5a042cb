// Keeps a text in a library on disk and asks it: the text is read at the first call only.
#include "ltri/library.h"

#include <cstdio>
#include <string>
#include <string_view>

#include "ltri/model.h"

// Prints what went wrong and gives the exit code.
static int Fail(const ltri::Error& error) {
  std::fprintf(stderr, "library: %s\n", error.message.c_str());
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: library MODEL FOLDER NAME TEXT-FILE QUESTION\n");
    return 2;
  }
  auto model = ltri::Model::Load(argv[1]);
  if (!model) return Fail(model.error());
  const ltri::Library library(argv[2]);

  // Reads what is new in the file: all of it the first time, nothing later. A crash costs what followed the last
  // commit.
  auto show = [](const ltri::Progress& progress) {
    std::fprintf(stderr, "\r%lld of about %lld tokens", static_cast<long long>(progress.done),
                 static_cast<long long>(progress.total));
    return true;  // false would commit and stop
  };
  auto document = library.Index(*model, argv[3], {argv[4]}, {}, show);
  if (!document) return Fail(document.error());

  auto answer = library.Ask(*model, {argv[3]}, argv[5], {}, [](std::string_view piece) {
    std::printf("%.*s", static_cast<int>(piece.size()), piece.data());
    std::fflush(stdout);
    return true;
  });
  if (!answer) return Fail(answer.error());
  std::printf("\n");
  for (const ltri::Citation& citation : answer->citations) {
    std::printf("[%.0f%%] %s, bytes %lld to %lld: %s\n", 100 * citation.share, citation.file.c_str(),
                static_cast<long long>(citation.byte_begin), static_cast<long long>(citation.byte_end),
                citation.text.c_str());
  }
  return 0;
}
