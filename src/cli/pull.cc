#include "cli/pull.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include "cli/command.h"
#include "cli/fetch/catalogue.h"
#include "cli/fetch/fetch_model.h"
#include "cli/fetch/output_file.h"
#include "cli/progress.h"
#include "weights/model_store.h"

namespace ltri {
namespace {

struct PullOptions {
  std::string name;
  bool list = false;
  bool force = false;
};

std::string ProgressText(const DownloadProgress& progress) {
  std::string line = fmt::format("{}  {}", progress.file, FormatBytes(progress.done));
  if (progress.total > 0) {
    line += fmt::format(" of {} ({}%)", FormatBytes(progress.total), 100 * progress.done / progress.total);
  }
  if (progress.seconds <= 0) return line;
  const double rate = static_cast<double>(progress.done - progress.resumed) / progress.seconds;
  line += fmt::format("  {:.1f} MB/s", rate / 1e6);
  if (progress.total > progress.done && rate > 0) {
    line += "  " + TimeText(static_cast<int64_t>(static_cast<double>(progress.total - progress.done) / rate)) + " left";
  }
  return line;
}

void PrintList() {
  const auto folder = ModelFolder();
  const std::vector<std::string> installed = InstalledModels();
  fmt::print("Known models:\n");
  for (const KnownModel& model : KnownModels()) {
    const bool here = std::find(installed.begin(), installed.end(), model.name) != installed.end();
    fmt::print("  {:<12} {:>9}  {} ({}){}\n", model.name, FormatBytes(model.size), model.about, model.licence,
               here ? "  [installed]" : "");
  }
  fmt::print("Installed in {}:\n", folder.ok() ? *folder : "(no folder)");
  for (const std::string& name : installed) fmt::print("  {}\n", name);
  if (installed.empty()) fmt::print("  none\n");
}

Result<FetchedModel> Pull(const PullOptions& options) {
  const Interrupt interrupt;
  ProgressLine line;
  const auto show = [&line](const DownloadProgress& progress) {
    if (progress.done > 0) line.Show([&] { return ProgressText(progress); });
    return !Interrupt::Requested();
  };
  return FetchModel(options.name, {options.force, show, nullptr});
}

void RunPull(const PullOptions& options) {
  if (options.list) {
    PrintList();
    return;
  }
  const KnownModel* known = FindKnownModel(options.name);
  if (known != nullptr && !known->notice.empty()) fmt::print(stderr, "{}\n", known->notice);
  const auto fetched = Pull(options);
  if (!fetched.ok() && fetched.error().code == ErrorCode::kCancelled) {
    Fail({ErrorCode::kCancelled, "stopped; run the same command again to go on from here"});
  }
  if (!fetched.ok()) Fail(fetched.error());
  fmt::print("{} is {} {}{}\n", options.name, fetched->was_there ? "already in" : "now in", fetched->path,
             fetched->was_there ? " (--force fetches it again)" : "");
}

}  // namespace

void AddPullCommand(CLI::App& app) {
  auto options = std::make_shared<PullOptions>();
  CLI::App* command = app.add_subcommand("pull", "Fetch a model, to be used by its name");
  auto* name =
      command->add_option("NAME", options->name, "smollm2, gemma3-270m, or a model hub's owner/name[:QUANTISATION]");
  auto* list = command->add_flag("--list", options->list, "List known and installed models");
  command->add_flag("--force", options->force, "Fetch again what is already there");
  name->excludes(list);
  command->callback([options] {
    if (!options->list && options->name.empty()) throw CLI::RequiredError("NAME (or --list)");
    RunPull(*options);
  });
}

}  // namespace ltri
