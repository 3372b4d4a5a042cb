// `ltri pull NAME`: fetches a model so that every command finds it by its name.
#ifndef LTRI_CLI_PULL_H_
#define LTRI_CLI_PULL_H_

namespace CLI {
class App;
}

namespace ltri {

// Registers the command; it throws CLI::RuntimeError: 1 on errors, 130 when stopped with Ctrl-C.
void AddPullCommand(CLI::App& app);

}  // namespace ltri

#endif  // LTRI_CLI_PULL_H_
