#include "cli/pull.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include "cli/fetch/catalogue.h"
#include "cli/fetch/fetch_model.h"
#include "cli/fetch/output_file.h"
#include "weights/model_store.h"

namespace ltri {
namespace {

constexpr int kInterrupted = 130;  // 128 + SIGINT, as shells report it

struct PullOptions {
  std::string name;
  bool list = false;
  bool force = false;
};

volatile std::sig_atomic_t interrupted = 0;

void OnInterrupt(int) { interrupted = 1; }

std::string TimeLeft(const DownloadProgress& progress, double rate) {
  if (rate <= 0 || progress.total <= 0) return "";
  const auto seconds = static_cast<int64_t>(static_cast<double>(progress.total - progress.done) / rate);
  return fmt::format("  {}:{:02} left", seconds / 60, seconds % 60);
}

// One line that is written over again.
void ShowProgress(const DownloadProgress& progress) {
  const double rate =
      progress.seconds > 0 ? static_cast<double>(progress.done - progress.resumed) / progress.seconds : 0;
  const std::string of = progress.total > 0 ? fmt::format(" of {} ({}%)", FormatBytes(progress.total),
                                                          100 * progress.done / progress.total)
                                            : "";
  fmt::print(stderr, "\r\033[K{}  {}{}  {:.1f} MB/s{}", progress.file, FormatBytes(progress.done), of, rate / 1e6,
             TimeLeft(progress, rate));
  std::fflush(stderr);
}

// A callback that draws at most ten times a second, and never when nobody watches.
DownloadCallback MakeProgress() {
  const bool watched = isatty(STDERR_FILENO) != 0;
  auto drawn = std::make_shared<double>(-1);
  return [watched, drawn](const DownloadProgress& progress) {
    constexpr double kInterval = 0.1;
    const bool is_new = progress.seconds < *drawn;
    if (watched && progress.done > 0 && (is_new || progress.seconds >= *drawn + kInterval)) {
      ShowProgress(progress);
      *drawn = progress.seconds;
    }
    return interrupted == 0;
  };
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
  struct sigaction action = {};
  struct sigaction before = {};
  action.sa_handler = OnInterrupt;
  sigaction(SIGINT, &action, &before);
  const bool watched = isatty(STDERR_FILENO) != 0;
  const auto fetched = FetchModel(options.name, {options.force, MakeProgress(), nullptr});
  if (watched) fmt::print(stderr, "\r\033[K");
  sigaction(SIGINT, &before, nullptr);
  return fetched;
}

int RunPull(const PullOptions& options) {
  if (options.list) {
    PrintList();
    return 0;
  }
  const KnownModel* known = FindKnownModel(options.name);
  if (known != nullptr && !known->notice.empty()) fmt::print(stderr, "{}\n", known->notice);
  const auto fetched = Pull(options);
  if (interrupted != 0 && !fetched.ok()) {
    fmt::print(stderr, "ltri: stopped; run the same command again to go on from here\n");
    return kInterrupted;
  }
  if (!fetched.ok()) {
    fmt::print(stderr, "ltri: {}\n", fetched.error().message);
    return 1;
  }
  fmt::print("{} is {} {}{}\n", options.name, fetched->was_there ? "already in" : "now in", fetched->path,
             fetched->was_there ? " (--force fetches it again)" : "");
  return 0;
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
    if (const int code = RunPull(*options); code != 0) throw CLI::RuntimeError(code);
  });
}

}  // namespace ltri
