// `ltri index`: reads files into a document of the library.
#ifndef LTRI_CLI_INDEX_H_
#define LTRI_CLI_INDEX_H_

namespace CLI {
class App;
}

namespace ltri {

void AddIndexCommand(CLI::App& app);

}  // namespace ltri

#endif  // LTRI_CLI_INDEX_H_
