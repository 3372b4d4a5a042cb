// `ltri library`: what there is, whether it is whole, and moving it about.
#ifndef LTRI_CLI_LIBRARY_H_
#define LTRI_CLI_LIBRARY_H_

namespace CLI {
class App;
}

namespace ltri {

void AddLibraryCommand(CLI::App& app);

}  // namespace ltri

#endif  // LTRI_CLI_LIBRARY_H_
