#include "serve/api_keys.h"

#include <fmt/format.h>

#include <fstream>

namespace ltri {
namespace {

constexpr size_t kLeastKey = 8;

bool Equal(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (size_t i = 0; i < b.size(); ++i) {
    difference |= static_cast<unsigned>(static_cast<unsigned char>(a.empty() ? '\0' : a[i % a.size()]) ^
                                        static_cast<unsigned char>(b[i]));
  }
  return difference == 0;
}

}  // namespace

Result<ApiKeys> ApiKeys::Load(const std::string& path) {
  std::vector<std::string> keys;
  if (path.empty()) return ApiKeys(std::move(keys));
  std::ifstream file(path);
  if (!file) return Error{ErrorCode::kNotFound, fmt::format("cannot read the API keys in {}", path)};
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    if (line.size() < kLeastKey) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("{}: the key in line {} has less than {} characters", path, number, kLeastKey)};
    }
    keys.push_back(line);
  }
  if (keys.empty()) return Error{ErrorCode::kInvalidArgument, fmt::format("there is no API key in {}", path)};
  return ApiKeys(std::move(keys));
}

bool ApiKeys::Allows(std::string_view authorization) const {
  constexpr std::string_view kScheme = "Bearer ";
  const bool bearer = authorization.starts_with(kScheme);
  const std::string_view key = bearer ? authorization.substr(kScheme.size()) : std::string_view();
  bool allowed = false;
  for (const std::string& known : keys_) allowed = Equal(known, key) || allowed;
  return keys_.empty() || (bearer && allowed);
}

}  // namespace ltri
