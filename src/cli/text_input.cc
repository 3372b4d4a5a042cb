#include "cli/text_input.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

#include "text/utf8.h"

namespace ltri {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

struct FileCloser {
  void operator()(FILE* file) const {
    if (file != stdin) std::fclose(file);
  }
};

Status CheckUtf8(const std::string& name, const std::string& text) {
  const std::optional<size_t> at = FindInvalidUtf8(text);
  if (!at) return {};
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("{} is not UTF-8: byte {} is 0x{:02x}. Convert it first, for instance with iconv", name, *at,
                           static_cast<unsigned char>(text[*at]))};
}

// An empty line between what is there and what follows.
void Separate(std::string& text) {
  if (text.empty()) return;
  while (!text.ends_with("\n\n")) text += '\n';
}

}  // namespace

void AddFileOption(CLI::App& app, TextInput& input) {
  app.add_option("-f,--file", input.files, "A text to read; may be given several times; - is standard input")
      ->expected(1)
      ->take_all()
      ->type_name("FILE")
      ->group("Text");
}

void AddPromptOption(CLI::App& app, TextInput& input) {
  app.add_option("-p,--prompt", input.prompt, "The question or task; it follows the files")
      ->type_name("TEXT")
      ->group("Text");
}

void AddSystemOption(CLI::App& app, TextInput& input) {
  app.add_option("--system", input.system,
                 "What the model is told about its part, before all else (chat template only)")
      ->type_name("TEXT")
      ->group("Text");
}

Result<std::string> ReadTextFile(const std::string& path) {
  const std::string name = path == "-" ? "standard input" : path;
  const std::unique_ptr<FILE, FileCloser> file(path == "-" ? stdin : std::fopen(path.c_str(), "rb"));
  if (file == nullptr) {
    return Error{errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
                 fmt::format("cannot open the text '{}': {}", path, std::strerror(errno))};
  }
  std::string text;
  std::array<char, 1 << 16> buffer{};
  while (const size_t count = std::fread(buffer.data(), 1, buffer.size(), file.get()))
    text.append(buffer.data(), count);
  if (std::ferror(file.get()) != 0) {
    return Error{ErrorCode::kIo, fmt::format("cannot read {}: {}", name, std::strerror(errno))};
  }
  if (Status status = CheckUtf8(name, text); !status.ok()) return status.error();
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  return text;
}

Result<std::string> ReadFiles(const std::vector<std::string>& files) {
  std::string all;
  for (const std::string& file : files) {
    const Result<std::string> text = ReadTextFile(file);
    if (!text.ok()) return text.error();
    Separate(all);
    all += *text;
  }
  return all;
}

Result<std::string> ReadText(const TextInput& input) {
  for (const auto& [name, text] : {std::pair("--prompt", &input.prompt), std::pair("--system", &input.system)}) {
    if (Status status = CheckUtf8(name, *text); !status.ok()) return status.error();
  }
  Result<std::string> text = ReadFiles(input.files);
  if (!text.ok()) return text.error();
  if (!input.prompt.empty()) {
    Separate(*text);
    *text += input.prompt;
  }
  if (text->find_first_not_of(" \t\r\n") == std::string::npos) {
    return Error{ErrorCode::kInvalidArgument, "the prompt is empty: give a text with --prompt or --file"};
  }
  return text;
}

}  // namespace ltri
