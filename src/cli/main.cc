// The program: one file a sub-command. Exit code 0: done, 1: something failed, 2: wrong usage.
#include <CLI/CLI.hpp>

#include "cli/inspect.h"

int main(int argc, char** argv) {
  CLI::App app("ltri: answers from texts longer than the model's window");
  app.require_subcommand(1);
  ltri::AddInspectCommand(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::RuntimeError& failure) {
    return failure.get_exit_code();
  } catch (const CLI::ParseError& usage) {
    return app.exit(usage) == 0 ? 0 : 2;
  }
  return 0;
}
