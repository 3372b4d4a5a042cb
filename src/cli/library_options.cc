#include "cli/library_options.h"

#include <CLI/CLI.hpp>

#include "cli/size_option.h"

namespace ltri {

void AddLibraryOption(CLI::App& app, LibraryChoice& choice) {
  const Result<std::string> standard = Library::DefaultFolder();
  app.add_option("--library", choice.folder, "The folder of the library")
      ->type_name("DIR")
      ->default_str(standard.ok() ? *standard : "")
      ->group("Library");
}

Result<Library> OpenLibrary(const LibraryChoice& choice) {
  if (!choice.folder.empty()) return Library(choice.folder);
  Result<std::string> folder = Library::DefaultFolder();
  if (!folder.ok()) return folder.error();
  return Library(std::move(*folder));
}

void AddMemoryOption(CLI::App& app, int64_t& bytes, const MemoryHelp& help) {
  AddSizeOption(app, "--memory", bytes, help.text)->group(help.group);
}

void AddNameArgument(CLI::App& app, std::string& name) {
  app.add_option("name", name, "The document")->required()->type_name("NAME")->group("Library");
}

}  // namespace ltri
