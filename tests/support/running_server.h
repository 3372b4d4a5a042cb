// A server with the tiny chat model, on a port of its own, and clients for it.
#ifndef LTRI_TESTS_SUPPORT_RUNNING_SERVER_H_
#define LTRI_TESTS_SUPPORT_RUNNING_SERVER_H_

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/http_library.h"
#include "serve/http_server.h"

namespace ltri::testing {

using Json = nlohmann::ordered_json;

// Small sizes, no limits that a test would meet by accident.
HttpServerOptions TestOptions();

class RunningServer {
 public:
  explicit RunningServer(const HttpServerOptions& options = TestOptions());
  ~RunningServer() { Stop(); }
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;

  int port() const { return server_->port(); }
  void Stop();

  httplib::Client Client() const;
  // Aborts the test when the server does not reply.
  httplib::Response Get(const std::string& path) const;
  httplib::Response Post(const std::string& path, const Json& body) const;
  httplib::Response PostText(const std::string& path, const std::string& body) const;
  // The events of a stream, "[DONE]" left out.
  std::vector<Json> Stream(const std::string& path, Json body) const;

 private:
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

}  // namespace ltri::testing

#endif  // LTRI_TESTS_SUPPORT_RUNNING_SERVER_H_
