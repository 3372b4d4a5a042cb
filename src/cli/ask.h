// `ltri ask`: answers a question from documents of the library, with citations.
#ifndef LTRI_CLI_ASK_H_
#define LTRI_CLI_ASK_H_

namespace CLI {
class App;
}

namespace ltri {

void AddAskCommand(CLI::App& app);

}  // namespace ltri

#endif  // LTRI_CLI_ASK_H_
