// The text that a person gives: files, standard input and a prompt.
#ifndef LTRI_CLI_TEXT_INPUT_H_
#define LTRI_CLI_TEXT_INPUT_H_

#include <string>
#include <vector>

#include "ltri/result.h"

namespace CLI {
class App;
}

namespace ltri {

struct TextInput {
  std::vector<std::string> files;  // "-": standard input
  std::string prompt;
  std::string system;  // what the model is told about its task; chat only
};

// One option each; `input` must live as long as `app`.
void AddFileOption(CLI::App& app, TextInput& input);
void AddPromptOption(CLI::App& app, TextInput& input);
void AddSystemOption(CLI::App& app, TextInput& input);

// A whole UTF-8 file, or standard input for "-", without a byte order mark. Errors: kNotFound, kIo, and
// kInvalidArgument that names the first byte that is no UTF-8.
Result<std::string> ReadTextFile(const std::string& path);

// The files in their order, an empty line after each.
Result<std::string> ReadFiles(const std::vector<std::string>& files);

// The files and then the prompt. Error kInvalidArgument when there is nothing but white space.
Result<std::string> ReadText(const TextInput& input);

}  // namespace ltri

#endif  // LTRI_CLI_TEXT_INPUT_H_
