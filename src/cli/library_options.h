// Which library a command works on, and with how much memory.
#ifndef LTRI_CLI_LIBRARY_OPTIONS_H_
#define LTRI_CLI_LIBRARY_OPTIONS_H_

#include <cstdint>
#include <string>

#include "ltri/library.h"

namespace CLI {
class App;
}

namespace ltri {

struct LibraryChoice {
  std::string folder;  // empty: Library::DefaultFolder
};

// --library; `choice` must live as long as `app`.
void AddLibraryOption(CLI::App& app, LibraryChoice& choice);
Result<Library> OpenLibrary(const LibraryChoice& choice);

// --memory, a number of bytes with KiB, MiB, GiB or kB, MB, GB.
struct MemoryHelp {
  const char* text;
  const char* group;
};
inline constexpr MemoryHelp kLibraryMemory{"RAM for keys, values and index (without it: half of what is free)",
                                           "Library"};
inline constexpr MemoryHelp kMemoryLimit{
    "RAM for keys, values and index; a temporary file takes the rest (without it: no limit)", "Memory"};
void AddMemoryOption(CLI::App& app, int64_t& bytes, const MemoryHelp& help = kLibraryMemory);

// One document's name, the first positional argument.
void AddNameArgument(CLI::App& app, std::string& name);

}  // namespace ltri

#endif  // LTRI_CLI_LIBRARY_OPTIONS_H_
