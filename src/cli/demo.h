// `ltri demo`: a sentence hidden in a book, asked for under three methods, and a picture of how it was found.
#ifndef LTRI_CLI_DEMO_H_
#define LTRI_CLI_DEMO_H_

namespace CLI {
class App;
}

namespace ltri {

// Registers the command; it throws CLI::RuntimeError: 1 on errors, 130 when stopped with Ctrl-C.
void AddDemoCommand(CLI::App& app);

}  // namespace ltri

#endif  // LTRI_CLI_DEMO_H_
