#include "cli/head_profile.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/haystack_text.h"
#include "cli/model_options.h"
#include "cli/option_types.h"
#include "cli/progress.h"
#include "eval/head_profile.h"
#include "weights/head_table.h"

namespace ltri {
namespace {

constexpr size_t kShown = 10;  // heads in the printed list

struct ProfileOptions {
  ModelChoice model;
  std::vector<std::string> texts;
  HeadProfileOptions profile;
  std::string output;  // empty: beside the model
};

std::string Report(const HeadTable& profile, const ModelInfo& info, const std::string& path) {
  std::vector<size_t> order(profile.scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return profile.scores[a] > profile.scores[b]; });
  std::string text =
      fmt::format("{} of {} needle prompts answered. The heads that copy most:\n", profile.answered, profile.prompts);
  text += fmt::format("  {:>5} {:>5} {:>7}\n", "layer", "head", "score");
  const auto heads = static_cast<size_t>(info.heads);
  for (size_t i = 0; i < std::min(kShown, order.size()) && profile.scores[order[i]] > 0; ++i) {
    text += fmt::format("  {:>5} {:>5} {:>7.3f}\n", order[i] / heads, order[i] % heads, profile.scores[order[i]]);
  }
  return text + fmt::format("Written to {}\n", path);
}

// The table costs minutes, so find out before.
Status CheckFolder(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (access(folder.empty() ? "." : folder.c_str(), W_OK) == 0) return {};
  return Error{ErrorCode::kIo,
               fmt::format("cannot write '{}': {}; name another file with --output", path, std::strerror(errno))};
}

Status Profile(const ProfileOptions& options) {
  const Interrupt interrupt;
  const Result<std::shared_ptr<Model>> model = LoadModel(options.model);
  if (!model.ok()) return model.error();
  const ModelInfo& info = (*model)->info();
  const Result<Haystack> haystack = LoadHaystack(**model, options.texts);
  if (!haystack.ok()) return haystack.error();
  const std::string path = options.output.empty() ? HeadTablePath(info.path) : options.output;
  if (Status status = CheckFolder(path); !status.ok()) return status;
  ProgressLine line("prompts");
  const Result<HeadTable> profile = ProfileHeads(*model, *haystack, options.profile, line.Callback("profiling"));
  line.Clear();
  if (!profile.ok()) return profile.error();
  if (Status status = SaveHeadTable(path, info, *profile); !status.ok()) {
    return Error{status.error().code, status.error().message + "; name another file with --output"};
  }
  return Print(Report(*profile, info, path));
}

}  // namespace

void AddHeadProfileCommand(CLI::App& app) {
  auto options = std::make_shared<ProfileOptions>();
  CLI::App* command = app.add_subcommand("head-profile", "Find which heads of a model copy answers from the text");
  command->add_option("MODEL", options->model.name, "A GGUF file, or the name of a model that `ltri pull` fetched")
      ->required()
      ->default_str("")
      ->type_name("");
  AddThreadsOption(*command, options->model);
  AddHaystackOption(*command, options->texts);
  command->add_option("--prompts", options->profile.prompts, "Needle prompts to read")
      ->check(AtLeast(1))
      ->type_name("N")
      ->group("Text");
  command->add_option("--tokens", options->profile.tokens, "Length of each")
      ->check(AtLeast(1))
      ->type_name("TOKENS")
      ->group("Text");
  command->add_option("--seed", options->profile.seed, "Of the prompts")
      ->check(AtLeast(0))
      ->type_name("N")
      ->group("Text");
  command->add_option("-o,--output", options->output, "The table (without it: MODEL.heads.json beside the model)")
      ->type_name("FILE")
      ->group("Output");
  command->callback([options] {
    if (const Status status = Profile(*options); !status.ok()) Fail(status.error());
  });
}

}  // namespace ltri
