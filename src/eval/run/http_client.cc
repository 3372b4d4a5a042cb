#include "eval/run/http_client.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/http_library.h"

namespace ltri {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kShownOfError = 200;  // characters of what a server says

}  // namespace

struct HttpClient::Impl {
  std::string url;
  std::string prefix;  // the path of the URL
  httplib::Client client;
};

HttpClient::HttpClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

Result<HttpClient> HttpClient::Create(const std::string& url, const std::string& key, double timeout_seconds) {
  const size_t host = url.find("://");
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("'{}' is no URL of a server; it would be like http://localhost:8080", url)};
  }
  const size_t path = url.find('/', host + 3);
  std::string prefix = path == std::string::npos ? "" : url.substr(path);
  while (prefix.ends_with('/')) prefix.pop_back();
  auto impl = std::make_unique<Impl>(Impl{url, prefix, httplib::Client(url.substr(0, path))});
  if (!impl->client.is_valid()) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("'{}': this build cannot speak to such a server", url)};
  }
  const auto timeout = std::chrono::milliseconds(static_cast<int64_t>(timeout_seconds * 1000));
  impl->client.set_read_timeout(timeout);
  impl->client.set_write_timeout(timeout);
  impl->client.set_keep_alive(true);
  if (!key.empty()) impl->client.set_bearer_token_auth(key);
  return HttpClient(std::move(impl));
}

Result<Json> HttpClient::Post(const std::string& path, const Json& body) {
  const std::string text = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  const httplib::Result response = impl_->client.Post(impl_->prefix + path, text, "application/json");
  const auto failed = [&](ErrorCode code, const std::string& what) {
    return Error{code, fmt::format("{}{}: {}", impl_->url, path, what)};
  };
  if (!response) return failed(ErrorCode::kIo, httplib::to_string(response.error()));
  if (response->status != 200) {
    return failed(ErrorCode::kIo,
                  fmt::format("status {}: {}", response->status, response->body.substr(0, kShownOfError)));
  }
  Json json = Json::parse(response->body, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return failed(ErrorCode::kCorrupt, "the answer is not JSON");
  return json;
}

}  // namespace ltri
