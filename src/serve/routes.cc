#include "serve/routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/http_library.h"

namespace ltri {
namespace {

constexpr const char* kJson = "application/json";

}  // namespace

bool IsOfType(const httplib::Request& request, std::string_view type) {
  std::string given = request.get_header_value("Content-Type");
  given = given.substr(0, given.find(';'));
  while (given.ends_with(' ')) given.pop_back();
  std::transform(given.begin(), given.end(), given.begin(), [](unsigned char c) { return std::tolower(c); });
  return given == type;
}

void ReplyJson(httplib::Response& response, const Json& json) { response.set_content(Dump(json), kJson); }

void ReplyError(httplib::Response& response, const ApiError& error) {
  response.status = error.status;
  response.set_content(ErrorBody(error), kJson);
}

std::optional<Json> BodyOf(const Service& service, const httplib::Request& request,
                           const httplib::ContentReader& reader, httplib::Response& response) {
  // Browsers send other types to any server without asking it first.
  if (!IsOfType(request, kJson)) {
    response.set_header("Connection", "close");  // the body stays unread
    ReplyError(response, {415, fmt::format("the Content-Type must be {}", kJson)});
    return std::nullopt;
  }
  std::string text;
  const auto most = static_cast<size_t>(service.options.body_bytes);
  const bool read = reader([&](const char* data, size_t size) {
    text.append(data, size);
    return text.size() <= most;
  });
  if (!read) {
    response.set_header("Connection", "close");
    const bool large = text.size() > most;
    ReplyError(response, {large ? 413 : 400, large ? fmt::format("the body is larger than {} bytes", most)
                                                   : std::string("the body ended too early")});
    return std::nullopt;
  }
  Result<Json> body = ParseObject(text);
  if (body.ok()) return std::move(*body);
  ReplyError(response, {400, body.error().message, "", "invalid_json"});
  return std::nullopt;
}

}  // namespace ltri
