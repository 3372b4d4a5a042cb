#include "cli/library.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/library_options.h"
#include "cli/library_report.h"
#include "cli/model_options.h"
#include "cli/progress.h"

namespace ltri {
namespace {

struct LibraryChoices {
  LibraryChoice library;
  ModelChoice model;
  std::vector<std::string> names;
  std::string name;
  std::string file;
  bool json = false;
};

// A line for each damage, and an error that says how many there are.
Status ReportDamage(const std::vector<LibraryDamage>& damage, const char* hint) {
  for (const LibraryDamage& part : damage) {
    const std::string where = part.document.empty() ? "the catalogue" : fmt::format("document '{}'", part.document);
    if (Status status = Print(fmt::format("damaged: {}: {}\n", where, part.what)); !status.ok()) return status;
  }
  if (damage.empty()) return {};
  return Error{ErrorCode::kCorrupt,
               fmt::format("{} damaged {}; {}", damage.size(), damage.size() == 1 ? "part" : "parts", hint)};
}

Status List(const Library& library, const LibraryChoices& choices) {
  const Result<std::vector<DocumentInfo>> documents = library.List();
  if (!documents.ok()) return documents.error();
  if (!choices.json) return Print(ListText(*documents));
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const DocumentInfo& document : *documents) json.push_back(DocumentJson(document));
  return PrintJson(json);
}

Status Show(const Library& library, const LibraryChoices& choices) {
  const Result<DocumentInfo> document = library.Show(choices.name);
  if (!document.ok()) return document.error();
  return choices.json ? PrintJson(DocumentJson(*document)) : Print(DocumentText(*document));
}

Status Verify(const Library& library, const LibraryChoices& choices) {
  constexpr const char* kHint = "`ltri library repair` may help, or remove the document and index it again";
  const Interrupt interrupt;
  ProgressLine line("bytes");
  const Result<VerifyReport> report = library.Verify(choices.names, line.Callback("verifying"));
  line.Clear();
  if (!report.ok()) return report.error();
  if (choices.json) {
    const nlohmann::ordered_json json = {{"documents", report->documents},
                                         {"blocks", report->blocks},
                                         {"bytes", report->bytes},
                                         {"damage", DamageJson(report->damage)}};
    if (Status status = PrintJson(json); !status.ok() || report->damage.empty()) return status;
    return Error{ErrorCode::kCorrupt, kHint};
  }
  const std::string looked = fmt::format("{} documents, {} blocks, {}: {}\n", report->documents, report->blocks,
                                         SizeText(report->bytes), report->damage.empty() ? "all is well" : "damaged");
  if (Status status = Print(looked); !status.ok()) return status;
  return ReportDamage(report->damage, kHint);
}

Status Repair(const Library& library, const LibraryChoices& choices) {
  constexpr const char* kHint = "these cannot be repaired: remove the documents and index them again";
  const Interrupt interrupt;
  ProgressLine line("bytes");
  const Result<RepairReport> report = library.Repair(line.Callback("verifying"));
  line.Clear();
  if (!report.ok()) return report.error();
  if (choices.json) {
    const nlohmann::ordered_json json = {{"repaired", report->repaired}, {"damage", DamageJson(report->left)}};
    if (Status status = PrintJson(json); !status.ok() || report->left.empty()) return status;
    return Error{ErrorCode::kCorrupt, kHint};
  }
  std::string text = fmt::format("{}\n", fmt::join(report->repaired, "\n"));
  if (report->repaired.empty()) text = report->left.empty() ? "nothing to repair\n" : "";
  if (Status status = Print(text); !status.ok()) return status;
  return ReportDamage(report->left, kHint);
}

Status Remove(const Library& library, const LibraryChoices& choices) { return library.Remove(choices.name); }

Status Compact(const Library& library, const LibraryChoices& choices) {
  const Result<std::shared_ptr<Model>> model = LoadModel(choices.model);
  if (!model.ok()) return model.error();
  const Result<int64_t> freed = library.Compact(*model, choices.name);
  if (!freed.ok()) return freed.error();
  return Print(fmt::format("{}: {} became free\n", choices.name, SizeText(*freed)));
}

Status Export(const Library& library, const LibraryChoices& choices) {
  return library.Export(choices.name, choices.file);
}

Status Import(const Library& library, const LibraryChoices& choices) {
  const Result<DocumentInfo> document = library.Import(choices.file, choices.name);
  if (!document.ok()) return document.error();
  return choices.json ? PrintJson(DocumentJson(*document)) : Print(DocumentText(*document));
}

// A command below `ltri library`, with its choices.
std::pair<CLI::App*, std::shared_ptr<LibraryChoices>> AddAction(CLI::App& parent, const char* name, const char* help,
                                                                Status (*run)(const Library&, const LibraryChoices&)) {
  auto choices = std::make_shared<LibraryChoices>();
  CLI::App* command = parent.add_subcommand(name, help);
  AddLibraryOption(*command, choices->library);
  command->callback([choices, run] {
    const Result<Library> library = OpenLibrary(choices->library);
    const Status status = library.ok() ? run(*library, *choices) : Status(library.error());
    if (!status.ok()) Fail(status.error());
  });
  return {command, choices};
}

void AddJsonFlag(CLI::App& command, LibraryChoices& choices) {
  command.add_flag("--json", choices.json, "Print JSON")->group("Output");
}

}  // namespace

void AddLibraryCommand(CLI::App& app) {
  CLI::App* parent = app.add_subcommand("library", "Documents on disk: list, check, repair, move");
  parent->require_subcommand(1);
  {
    const auto [command, choices] = AddAction(*parent, "list", "List the documents", List);
    AddJsonFlag(*command, *choices);
  }
  {
    const auto [command, choices] = AddAction(*parent, "show", "Tell about one document", Show);
    AddNameArgument(*command, choices->name);
    AddJsonFlag(*command, *choices);
  }
  {
    const auto [command, choices] = AddAction(*parent, "verify", "Look at every byte for damage", Verify);
    command->add_option("names", choices->names, "Only these documents")
        ->take_all()
        ->type_name("NAME")
        ->group("Library");
    AddJsonFlag(*command, *choices);
  }
  {
    const auto [command, choices] = AddAction(*parent, "repair", "Bring back what can be brought back", Repair);
    AddJsonFlag(*command, *choices);
  }
  {
    const auto [command, choices] = AddAction(*parent, "remove", "Take a document out", Remove);
    AddNameArgument(*command, choices->name);
  }
  {
    const auto [command, choices] =
        AddAction(*parent, "compact", "Write a document anew without what was replaced", Compact);
    AddNameArgument(*command, choices->name);
    AddModelOptions(*command, choices->model);
  }
  {
    const auto [command, choices] = AddAction(*parent, "export", "Write a document into one file", Export);
    AddNameArgument(*command, choices->name);
    command->add_option("file", choices->file, "The file to make")->required()->type_name("FILE")->group("Library");
  }
  {
    const auto [command, choices] = AddAction(*parent, "import", "Take a document from such a file", Import);
    command->add_option("file", choices->file, "The file")->required()->type_name("FILE")->group("Library");
    command->add_option("--name", choices->name, "Another name for it")->type_name("NAME")->group("Library");
    AddJsonFlag(*command, *choices);
  }
}

}  // namespace ltri
