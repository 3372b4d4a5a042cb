#include "support/running_server.h"

#include <chrono>
#include <stdexcept>

#include "support/chat_model.h"
#include "support/tiny_session.h"

namespace ltri::testing {
namespace {

httplib::Response Must(const httplib::Result& result) {
  if (result) return *result;
  throw std::runtime_error("no reply: " + httplib::to_string(result.error()));
}

}  // namespace

HttpServerOptions TestOptions() {
  HttpServerOptions options;
  options.port = 0;
  options.session = SmallOptions("ltri");
  options.session.max_span = 16;
  options.scheduler.cache_bytes = int64_t{64} << 20;
  return options;
}

RunningServer::RunningServer(const HttpServerOptions& options) {
  Result<std::unique_ptr<HttpServer>> server = HttpServer::Create(ChatModel(), options);
  if (!server.ok()) throw std::runtime_error(server.error().message);
  server_ = std::move(*server);
  thread_ = std::thread([this] { EXPECT_TRUE(server_->Run().ok()); });
}

void RunningServer::Stop() {
  if (!thread_.joinable()) return;
  server_->Stop();
  thread_.join();
}

httplib::Client RunningServer::Client() const {
  httplib::Client client("127.0.0.1", port());
  client.set_read_timeout(std::chrono::seconds(60));
  return client;
}

httplib::Response RunningServer::Get(const std::string& path) const { return Must(Client().Get(path)); }

httplib::Response RunningServer::Post(const std::string& path, const Json& body) const {
  return PostText(path, body.dump());
}

httplib::Response RunningServer::PostText(const std::string& path, const std::string& body) const {
  return Must(Client().Post(path, body, "application/json"));
}

std::vector<Json> RunningServer::Stream(const std::string& path, Json body) const {
  body["stream"] = true;
  const httplib::Response response = Post(path, body);
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(response.get_header_value("Content-Type"), "text/event-stream");
  std::vector<Json> events;
  bool done = false;
  for (size_t at = 0; at < response.body.size();) {
    const size_t end = response.body.find("\n\n", at);
    const std::string line = response.body.substr(at, end - at);
    at = end == std::string::npos ? response.body.size() : end + 2;
    if (line.starts_with(":")) continue;
    EXPECT_TRUE(line.starts_with("data: ")) << line;
    done = line == "data: [DONE]";
    if (!done) events.push_back(Json::parse(line.substr(6)));
  }
  EXPECT_TRUE(done);
  return events;
}

}  // namespace ltri::testing
