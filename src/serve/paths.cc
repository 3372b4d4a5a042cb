#include "serve/paths.h"

namespace ltri {
namespace {

struct Path {
  std::string_view path;  // "*" stands for one name
  std::string_view methods;
};

constexpr Path kPaths[] = {
    {"/", "GET"},
    {"/page/*", "GET"},
    {"/health", "GET"},
    {"/metrics", "GET"},
    {"/tokenize", "POST"},
    {"/detokenize", "POST"},
    {"/v1/models", "GET"},
    {"/v1/models/*", "GET"},
    {"/v1/completions", "POST"},
    {"/v1/chat/completions", "POST"},
    {"/v1/documents", "GET, POST"},
    {"/v1/documents/*", "GET, DELETE"},
    {"/v1/documents/*/events", "GET"},
    {"/v1/documents/*/text", "GET"},
};

bool Fits(std::string_view path, std::string_view pattern) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return path == pattern;
  const std::string_view before = pattern.substr(0, star);
  const std::string_view after = pattern.substr(star + 1);
  if (path.size() <= before.size() + after.size() || !path.starts_with(before) || !path.ends_with(after)) return false;
  const std::string_view name = path.substr(before.size(), path.size() - before.size() - after.size());
  return name.find('/') == std::string_view::npos;
}

}  // namespace

std::string_view MethodsOf(std::string_view path) {
  for (const Path& known : kPaths) {
    if (Fits(path, known.path)) return known.methods;
  }
  return {};
}

bool HasMethod(std::string_view methods, std::string_view method) {
  if (method == "HEAD") method = "GET";
  while (!methods.empty()) {
    const std::string_view first = methods.substr(0, methods.find(", "));
    if (first == method) return true;
    methods.remove_prefix(first.size() == methods.size() ? methods.size() : first.size() + 2);
  }
  return false;
}

}  // namespace ltri
