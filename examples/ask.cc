// Asks a model about a text file of any length: a whole program on top of the installed library.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "ltri/model.h"
#include "ltri/session.h"

// Prints what went wrong and gives the exit code.
static int Fail(const ltri::Error& error) {
  std::fprintf(stderr, "ask: %s\n", error.message.c_str());
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: ask MODEL TEXT-FILE QUESTION\n");
    return 2;
  }
  std::ifstream file(argv[2], std::ios::binary);
  if (!file) return Fail({ltri::ErrorCode::kNotFound, std::string("cannot read ") + argv[2]});
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};

  auto model = ltri::Model::Load(argv[1]);
  if (!model) return Fail(model.error());
  auto session = ltri::Session::Create(*model);  // the method ltri with its defaults
  if (!session) return Fail(session.error());

  const ltri::ChatMessage message{"user", text + "\n\n" + argv[3]};
  auto prompt = (*model)->FormatChat({&message, 1});
  if (!prompt) return Fail(prompt.error());
  auto tokens = (*model)->Tokenize(*prompt, true, true);
  if (!tokens) return Fail(tokens.error());

  auto show = [](const ltri::Progress& progress) {
    std::fprintf(stderr, "\r%.0f%% read",
                 100.0 * static_cast<double>(progress.done) / static_cast<double>(progress.total));
    return true;  // false would stop the reading
  };
  if (auto read = session->Append(*tokens, show); !read) return Fail(read.error());

  auto answer = session->Generate();
  if (!answer) return Fail(answer.error());
  std::printf("\n%s\n", answer->text.c_str());
  return 0;
}
