// The options of a session: method, memory, and the research settings.
#ifndef LTRI_CLI_SESSION_OPTIONS_H_
#define LTRI_CLI_SESSION_OPTIONS_H_

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "ltri/model.h"
#include "ltri/options.h"

namespace CLI {
class App;
}

namespace ltri {

// What is passed must live as long as `app`. AddMethodOption: --method; AddMethodsOption: --methods, to compare;
// AddSessionOptions: all others; prefill_name for a command in which --prefill means something else.
void AddMethodOption(CLI::App& app, SessionOptions& options);
void AddMethodsOption(CLI::App& app, std::vector<std::string>& methods);
void AddSessionOptions(CLI::App& app, SessionOptions& options, const char* prefill_name = "--prefill");

// The settings that the method heeds, by the names of the command line.
nlohmann::ordered_json SessionSettings(const SessionOptions& options);

}  // namespace ltri

#endif  // LTRI_CLI_SESSION_OPTIONS_H_
