// HttpClient: JSON to a server and back, over cpp-httplib.
#ifndef LTRI_EVAL_RUN_HTTP_CLIENT_H_
#define LTRI_EVAL_RUN_HTTP_CLIENT_H_

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "ltri/result.h"

namespace ltri {

// Not thread-safe.
class HttpClient {
 public:
  // url: scheme, host and port, with a path before all others if the server has one. key: a bearer token, may be empty.
  // Error kInvalidArgument when the URL is none of http or https.
  static Result<HttpClient> Create(const std::string& url, const std::string& key, double timeout_seconds);

  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  ~HttpClient();

  // Errors: kIo (cannot be reached, another status than 200; the message has the server's own words), kCorrupt (no
  // JSON).
  Result<nlohmann::ordered_json> Post(const std::string& path, const nlohmann::ordered_json& body);

 private:
  struct Impl;
  explicit HttpClient(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace ltri

#endif  // LTRI_EVAL_RUN_HTTP_CLIENT_H_
