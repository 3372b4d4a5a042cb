// Requests that nobody means well with.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>

#include "support/running_server.h"

namespace ltri {
namespace {

using namespace ltri::testing;  // NOLINT(google-build-using-namespace)
using Json = ltri::testing::Json;

// How many: the quick tests take some; LTRI_HOSTILE_REQUESTS=10000 takes all that the server is to survive.
int Count() {
  const char* count = std::getenv("LTRI_HOSTILE_REQUESTS");
  return count == nullptr ? 600 : std::atoi(count);
}

// A connection of bytes.
class RawClient {
 public:
  explicit RawClient(int port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    connected_ = connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    const timeval patience{20, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  }
  ~RawClient() { close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return connected_; }
  void Send(const std::string& bytes) const { (void)send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  // All until the server closes.
  std::string Receive() const {
    shutdown(socket_, SHUT_WR);
    std::string text;
    char buffer[4096];
    for (ssize_t count = 0; (count = recv(socket_, buffer, sizeof(buffer), 0)) > 0;) {
      text.append(buffer, static_cast<size_t>(count));
    }
    return text;
  }

 private:
  int socket_;
  bool connected_ = false;
};

class HostileTest : public ::testing::Test {
 protected:
  void ExpectAlive() const { EXPECT_EQ(server_.Get("/health").status, 200); }

  static HttpServerOptions Options() {
    HttpServerOptions options = TestOptions();
    options.read_seconds = 1;
    options.body_bytes = 1 << 16;
    return options;
  }

  RunningServer server_{Options()};
};

TEST_F(HostileTest, BytesThatAreNoHttp) {
  const std::vector<std::string> wrong = {"",
                                          "\n\n\n\n",
                                          std::string(100, '\0'),
                                          "GET\r\n\r\n",
                                          "GET / HTTP/9.9\r\n\r\n",
                                          "FROB / HTTP/1.1\r\n\r\n",
                                          "GET /" + std::string(100000, 'a') + " HTTP/1.1\r\n\r\n",
                                          "GET / HTTP/1.1\r\n" + std::string(100000, 'h') + ": x\r\n\r\n",
                                          "POST /tokenize HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
                                          "POST /tokenize HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
                                          "POST /tokenize HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                                          "GET /v1/models/%00%ff HTTP/1.1\r\nHost: x\r\n\r\n",
                                          "\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03"};
  for (const std::string& bytes : wrong) {
    const RawClient client(server_.port());
    ASSERT_TRUE(client.connected());
    client.Send(bytes);
    const std::string reply = client.Receive();
    EXPECT_FALSE(reply.starts_with("HTTP/1.1 5")) << bytes.substr(0, 60) << reply.substr(0, 60);
  }
  ExpectAlive();
}

// So that nobody can make the server hold what no route wants: the reply comes although the body does not.
TEST_F(HostileTest, BodiesThatNobodyWantsAreNotRead) {
  const std::string long_path = "/" + std::string(2000, 'a');
  const std::vector<std::pair<std::string, std::string>> requests = {
      {"POST /nowhere", "404"},          {"POST " + long_path, "404"}, {"PUT /v1/documents/x", "405"},
      {"DELETE /v1/documents/x", "400"}, {"GET /health", "400"},       {"PATCH /v1/chat/completions", "405"}};
  for (const auto& [line, status] : requests) {
    const RawClient client(server_.port());
    client.Send(line + " HTTP/1.1\r\nHost: x\r\nContent-Length: 200000000\r\n\r\nx");
    const std::string reply = client.Receive();
    EXPECT_TRUE(reply.starts_with("HTTP/1.1 " + status)) << line.substr(0, 40) << ": " << reply.substr(0, 100);
  }
}

TEST_F(HostileTest, WhoSendsNothingIsCutOff) {
  const RawClient silent(server_.port());
  silent.Send("POST /tokenize HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{");
  const auto begin = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  ExpectAlive();
  (void)silent.Receive();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST_F(HostileTest, NestedDeeply) {
  for (const size_t depth : {65, 1000, 30000}) {
    for (const auto& [open, close] : {std::pair("[", "]"), std::pair("{\"a\":", "}")}) {
      std::string text = "{\"messages\":";
      for (size_t i = 0; i < depth; ++i) text += open;
      text += "1";
      for (size_t i = 0; i < depth; ++i) text += close;
      const int status = server_.PostText("/v1/chat/completions", text + "}").status;
      EXPECT_TRUE(status == 400 || status == 413) << status << " at depth " << depth;
    }
  }
  // A schema that refers to itself, and one that would be huge as a grammar.
  Json body = {{"messages", Json::array({{{"role", "user"}, {"content", "x"}}})}, {"max_tokens", 1}};
  const std::vector<Json> schemas = {{{"$ref", "#"}},
                                     {{"type", "string"}, {"maxLength", 1000000000}},
                                     {{"type", "array"}, {"minItems", 1000000000}},
                                     {{"type", "string"}, {"pattern", "(((((a{1,99}){1,99}){1,99}){1,99}){1,99})"}}};
  for (const Json& schema : schemas) {
    body["response_format"] = {{"type", "json_schema"}, {"json_schema", {{"schema", schema}}}};
    const int status = server_.Post("/v1/chat/completions", body).status;
    EXPECT_TRUE(status == 200 || status == 400) << status << schema;
  }
  ExpectAlive();
}

// Good requests with something broken in them.
TEST_F(HostileTest, BrokenBodies) {
  std::mt19937 random(1);
  const std::vector<Json> values = {nullptr,
                                    true,
                                    -1,
                                    1e308,
                                    "",
                                    "x",
                                    "\xC3\xA9",
                                    Json::array(),
                                    Json::object(),
                                    INT64_MAX,
                                    Json::array({Json::array()}),
                                    std::string(3000, 'y')};
  const std::vector<std::string> fields = {"messages", "prompt",    "model", "max_tokens",  "temperature",    "stop",
                                           "n",        "stream",    "tools", "logprobs",    "logit_bias",     "seed",
                                           "ltri",     "documents", "top_p", "tool_choice", "response_format"};
  httplib::Client client = server_.Client();
  client.set_keep_alive(true);
  for (int i = 0; i < Count(); ++i) {
    Json body = {{"messages", Json::array({{{"role", "user"}, {"content", "x"}}})}, {"prompt", "x"}, {"max_tokens", 1}};
    for (uint32_t changes = 1 + static_cast<uint32_t>(random() % 3); changes > 0; --changes) {
      body[fields[random() % fields.size()]] = values[random() % values.size()];
    }
    if (random() % 4 == 0 && body["messages"].is_array()) body["messages"].push_back(values[random() % values.size()]);
    body["max_tokens"] = random() % 2 == 0 ? body["max_tokens"] : Json(1);
    std::string text = body.dump();
    if (random() % 3 == 0) text[random() % text.size()] = static_cast<char>(random());
    if (random() % 5 == 0) text.resize(random() % text.size());
    const char* paths[] = {"/v1/chat/completions", "/v1/completions", "/tokenize", "/detokenize"};
    const auto result = client.Post(paths[random() % 4], text, "application/json");
    ASSERT_TRUE(result) << i << ": " << text;
    EXPECT_TRUE(result->status == 200 || (result->status >= 400 && result->status < 500)) << result->status << text;
    if (result->status >= 400) {
      EXPECT_TRUE(Json::parse(result->body).contains("error")) << text;
    }
  }
  ExpectAlive();
}

}  // namespace
}  // namespace ltri
