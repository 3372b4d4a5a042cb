#include "cli/config_file.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>

namespace ltri {

Status ApplyConfigFile(CLI::App& command, const std::string& path) {
  if (path.empty()) return {};
  std::ifstream file(path);
  if (!file) return Error{ErrorCode::kNotFound, fmt::format("cannot read the options in {}", path)};
  for (const CLI::ConfigItem& item : CLI::ConfigINI().from_config(file)) {
    if (item.name == "++" || item.name == "--") continue;  // marks of sections
    CLI::Option* option = command.get_option_no_throw("--" + item.name);
    if (option == nullptr || !item.parents.empty()) {
      return Error{ErrorCode::kInvalidArgument, fmt::format("{}: '{}' is no option; `ltri {} --help` lists them", path,
                                                            item.fullname(), command.get_name())};
    }
    if (option->count() > 0) continue;
    const bool is_flag = option->get_type_size() == 0;
    option->add_result(is_flag ? option->get_flag_value(item.name, item.inputs.empty() ? "true" : item.inputs.front())
                               : fmt::format("{}", fmt::join(item.inputs, ",")));
    option->run_callback();
  }
  return {};
}

}  // namespace ltri
