#include "serve/request_log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>

#include "base/http_library.h"
#include "serve/json_fields.h"
#include "serve/reply_builder.h"

namespace ltri {
namespace {

std::string TimeText() {
  const auto now = std::chrono::system_clock::now();
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
                     milliseconds);
}

void Write(const Json& line) {
  const std::string text = Dump(line) + "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);  // one write, so that lines of several threads stay whole
}

}  // namespace

std::string RequestId(const httplib::Request& request) {
  constexpr size_t kMost = 64;
  const std::string given = request.get_header_value(kRequestIdHeader);
  const bool usable = !given.empty() && given.size() <= kMost && std::all_of(given.begin(), given.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
  });
  return usable ? given : RandomId("req_");
}

void LogRequest(const httplib::Request& request, const httplib::Response& response) {
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - request.start_time_;
  Write({{"time", TimeText()},
         {"event", "request"},
         {"id", response.get_header_value(kRequestIdHeader)},
         {"client", request.remote_addr},
         {"method", request.method},
         {"path", request.path},
         {"status", response.status},
         {"bytes", request.get_header_value_u64("Content-Length")},
         {"seconds", seconds.count()}});
}

void LogEvent(std::string_view event, std::string_view detail) {
  Write({{"time", TimeText()}, {"event", event}, {"detail", detail}});
}

}  // namespace ltri
