// A line of JSON on standard error for each request, under an id that the client gets too.
#ifndef LTRI_SERVE_REQUEST_LOG_H_
#define LTRI_SERVE_REQUEST_LOG_H_

#include <string>
#include <string_view>

namespace httplib {
struct Request;
struct Response;
}  // namespace httplib

namespace ltri {

constexpr const char* kRequestIdHeader = "X-Request-Id";

// The client's own id if it can stand in a log, else a new one.
std::string RequestId(const httplib::Request& request);

// After the reply has gone out.
void LogRequest(const httplib::Request& request, const httplib::Response& response);

// Something that is no request: "listening", "stopping", ...
void LogEvent(std::string_view event, std::string_view detail);

}  // namespace ltri

#endif  // LTRI_SERVE_REQUEST_LOG_H_
