// `ltri serve`: answers over HTTP.
#ifndef LTRI_CLI_SERVE_H_
#define LTRI_CLI_SERVE_H_

namespace CLI {
class App;
}

namespace ltri {

void AddServeCommand(CLI::App& app);

}  // namespace ltri

#endif  // LTRI_CLI_SERVE_H_
