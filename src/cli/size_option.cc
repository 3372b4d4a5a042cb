#include "cli/size_option.h"

#include <fmt/format.h>

#include <cstdlib>
#include <optional>

#include "cli/option_types.h"

namespace ltri {
namespace {

struct Unit {
  const char* name;
  double bytes;
};
constexpr Unit kUnits[] = {{"", 1},     {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}, {"TiB", 1099511627776},
                           {"kB", 1e3}, {"KB", 1e3},   {"MB", 1e6},      {"GB", 1e9},         {"TB", 1e12}};

// "1.5GiB" in bytes; none when it is no size.
std::optional<int64_t> ParseSize(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (end == text.c_str()) return std::nullopt;
  while (*end == ' ') ++end;
  for (const Unit& unit : kUnits) {
    const double bytes = number * unit.bytes;
    if (std::string(end) == unit.name && bytes >= 1 && bytes <= kMost) return static_cast<int64_t>(bytes);
  }
  return std::nullopt;
}

}  // namespace

CLI::Option* AddSizeOption(CLI::App& app, const std::string& name, int64_t& bytes, const std::string& help) {
  const auto check = [](std::string& text) {
    return ParseSize(text) ? std::string() : fmt::format("'{}' is no size, such as 512MiB or 1GiB", text);
  };
  return app
      .add_option_function<std::string>(
          name, [&bytes](const std::string& text) { bytes = *ParseSize(text); }, help)
      ->check(CLI::Validator(check, ""))
      ->type_name("SIZE");
}

}  // namespace ltri
