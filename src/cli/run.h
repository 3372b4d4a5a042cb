// `ltri run`: answers a prompt once.
#ifndef LTRI_CLI_RUN_H_
#define LTRI_CLI_RUN_H_

namespace CLI {
class App;
}

namespace ltri {

void AddRunCommand(CLI::App& app);

}  // namespace ltri

#endif  // LTRI_CLI_RUN_H_
