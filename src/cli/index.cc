#include "cli/index.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/process_memory.h"
#include "cli/command.h"
#include "cli/library_options.h"
#include "cli/library_report.h"
#include "cli/model_options.h"
#include "cli/option_types.h"
#include "cli/progress.h"
#include "cli/session_options.h"

namespace ltri {
namespace {

struct IndexChoices {
  LibraryChoice library;
  ModelChoice model;
  std::string name;
  std::vector<std::string> files;
  IndexOptions index;
  bool json = false;
};

Status Index(const IndexChoices& choices) {
  const Interrupt interrupt;
  const Result<Library> library = OpenLibrary(choices.library);
  if (!library.ok()) return library.error();
  const Result<std::shared_ptr<Model>> model = LoadModel(choices.model);
  if (!model.ok()) return model.error();
  Progress last;
  Result<DocumentInfo> document = Error{};
  {
    ProgressLine line;
    const ProgressCallback show = line.Callback("indexing");
    document = library->Index(*model, choices.name, choices.files, choices.index, [&](const Progress& progress) {
      last = progress;
      return show(progress);
    });
  }
  if (!document.ok()) return document.error();
  if (choices.json) {
    nlohmann::ordered_json report = DocumentJson(*document);
    report["read_tokens"] = last.done;
    report["read_seconds"] = last.seconds;
    report["peak_memory_bytes"] = PeakMemory();
    return PrintJson(report);
  }
  return Print(
      fmt::format("{}: {} tokens, {} on disk\n", document->name, document->tokens, SizeText(document->stored_bytes)));
}

}  // namespace

void AddIndexCommand(CLI::App& app) {
  auto choices = std::make_shared<IndexChoices>();
  CLI::App* command =
      app.add_subcommand("index", "Read texts into a document that is kept on disk; goes on where it was stopped");
  AddNameArgument(*command, choices->name);
  command->add_option("files", choices->files, "The texts; none: go on with those of the document")
      ->take_all()
      ->type_name("FILE")
      ->group("Library");
  AddLibraryOption(*command, choices->library);
  AddMemoryOption(*command, choices->index.memory);
  command->add_option("--commit-every", choices->index.commit_every, "What a crash may cost")
      ->check(AtLeast(1))
      ->type_name("TOKENS")
      ->group("Library");
  command->add_flag("--follow", choices->index.follow, "Wait for the last text to grow, until Ctrl-C")
      ->group("Library");
  command->add_flag("--plain", choices->index.plain, "Read the text as it stands, without the model's chat template")
      ->group("Library");
  command->add_flag("--json", choices->json, "Print one JSON object about the document")->group("Output");
  AddModelOptions(*command, choices->model);
  AddMethodOption(*command, choices->index.session);
  AddSessionOptions(*command, choices->index.session);
  command->callback([choices] {
    if (const Status status = Index(*choices); !status.ok()) Fail(status.error());
  });
}

}  // namespace ltri
