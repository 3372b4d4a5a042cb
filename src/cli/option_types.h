// Kinds of option values: choices by name, and numbers within bounds. A value that does not fit is wrong usage.
#ifndef LTRI_CLI_OPTION_TYPES_H_
#define LTRI_CLI_OPTION_TYPES_H_

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <span>
#include <string>

namespace ltri {

// Far above every size and far below where sums of sizes overflow.
inline constexpr double kMost = 1e15;

template <typename T>
struct Choice {
  const char* name;
  T value;
};

template <typename T>
std::string NameOf(std::span<const Choice<T>> choices, T value) {
  for (const Choice<T>& choice : choices) {
    if (choice.value == value) return choice.name;
  }
  return "";
}

template <typename T>
std::string NamesOf(std::span<const Choice<T>> choices, const char* separator) {
  std::string names;
  for (const Choice<T>& choice : choices) names += (names.empty() ? "" : separator) + std::string(choice.name);
  return names;
}

// `choices` and `value` must live as long as `app`.
template <typename T>
CLI::Option* AddChoice(CLI::App& app, const std::string& name, T& value, std::span<const Choice<T>> choices,
                       const std::string& help) {
  const auto check = [choices](std::string& text) {
    for (const Choice<T>& choice : choices) {
      if (text == choice.name) return std::string();
    }
    return fmt::format("'{}' is none of {}", text, NamesOf(choices, ", "));
  };
  const auto set = [choices, &value](const std::string& text) {
    for (const Choice<T>& choice : choices) {
      if (text == choice.name) value = choice.value;
    }
  };
  CLI::Option* option = app.add_option_function<std::string>(name, set, help + ": " + NamesOf(choices, ", "));
  option->check(CLI::Validator(check, ""))->type_name("NAME")->default_str(NameOf(choices, value));
  return option;
}

// A number from `low` to `high`.
inline CLI::Validator Between(double low, double high) {
  return {[low, high](std::string& text) {
            char* end = nullptr;
            const double value = std::strtod(text.c_str(), &end);
            if (end == text.c_str() || *end != '\0') return fmt::format("'{}' is not a number", text);
            if (value >= low && value <= high) return std::string();
            return high == kMost && value < low ? fmt::format("{} is less than {:g}", text, low)
                                                : fmt::format("{} is not between {:g} and {:g}", text, low, high);
          },
          ""};
}

inline CLI::Validator AtLeast(double low) { return Between(low, kMost); }

}  // namespace ltri

#endif  // LTRI_CLI_OPTION_TYPES_H_
