#include "serve/api_error.h"

#include "serve/json_fields.h"

namespace ltri {
namespace {

const char* TypeOf(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 404:
      return "not_found_error";
    case 409:
      return "conflict_error";
    case 429:
      return "rate_limit_error";
    default:
      return status < 500 ? "invalid_request_error" : "server_error";
  }
}

int StatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kUnsupported:
      return 400;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kCancelled:
    case ErrorCode::kOutOfMemory:
      return 503;
    case ErrorCode::kCorrupt:
    case ErrorCode::kIo:
      return 500;
  }
  return 500;
}

}  // namespace

ApiError ToApiError(const Error& error) { return {StatusOf(error.code), error.message}; }

std::string ErrorBody(const ApiError& error) {
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  return Dump({{"error",
                {{"message", error.message},
                 {"type", TypeOf(error.status)},
                 {"param", or_null(error.param)},
                 {"code", or_null(error.code)}}}});
}

}  // namespace ltri
