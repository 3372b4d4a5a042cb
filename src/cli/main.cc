// The program: one file a sub-command. Exit code 0: done, 1: something failed, 2: wrong usage, 130: stopped by Ctrl-C.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <new>

#include "cli/ask.h"
#include "cli/bench.h"
#include "cli/chat.h"
#include "cli/command.h"
#include "cli/demo.h"
#include "cli/eval.h"
#include "cli/head_profile.h"
#include "cli/index.h"
#include "cli/inspect.h"
#include "cli/library.h"
#include "cli/pull.h"
#include "cli/run.h"
#include "cli/serve.h"

namespace {

int Parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::RuntimeError& failure) {
    return failure.get_exit_code();
  } catch (const CLI::ParseError& usage) {
    if (usage.get_exit_code() == 0) return app.exit(usage);  // --help, --version
    fmt::print(stderr, "ltri: {}\nTry --help after the command for what it takes.\n", usage.what());
    return 2;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("ltri: answers from texts longer than the model's window");
  app.option_defaults()->always_capture_default()->take_last();
  app.set_version_flag("--version", "ltri " LTRI_VERSION, "Print the version")->group("Help");
  app.require_subcommand(1);
  ltri::AddRunCommand(app);
  ltri::AddChatCommand(app);
  ltri::AddIndexCommand(app);
  ltri::AddAskCommand(app);
  ltri::AddLibraryCommand(app);
  ltri::AddServeCommand(app);
  ltri::AddDemoCommand(app);
  ltri::AddPullCommand(app);
  ltri::AddInspectCommand(app);
  ltri::AddHeadProfileCommand(app);
  ltri::AddEvalCommand(app);
  ltri::AddBenchCommand(app);
  ltri::SetHelpStyle(app);
  ltri::NameEnvironment(app);
  try {
    return Parse(app, argc, argv);
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "ltri: out of memory; a smaller --budget or --window needs less\n");
  } catch (const std::exception& failure) {
    fmt::print(stderr, "ltri: {}\n", failure.what());
  }
  return 1;
}
