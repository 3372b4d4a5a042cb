#include "cli/haystack_text.h"

#include <CLI/CLI.hpp>

#include "cli/data_file.h"
#include "cli/text_input.h"

namespace ltri {

void AddHaystackOption(CLI::App& app, std::vector<std::string>& files) {
  app.add_option("--text", files, "Hide the needles in this text (without it: Moby-Dick); may be given several times")
      ->expected(1)
      ->take_all()
      ->type_name("FILE")
      ->group("Text");
}

Result<std::string> ReadHaystackText(std::vector<std::string> files) {
  if (files.empty()) {
    Result<std::string> book = FindDataFile("moby-dick.txt");
    if (!book.ok()) return book.error();
    files.push_back(std::move(*book));
  }
  return ReadFiles(files);
}

Result<Haystack> LoadHaystack(const Model& model, std::vector<std::string> files) {
  const Result<std::string> text = ReadHaystackText(std::move(files));
  if (!text.ok()) return text.error();
  return Haystack::Create(model, *text);
}

}  // namespace ltri
