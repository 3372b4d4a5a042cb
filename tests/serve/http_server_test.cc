#include "serve/http_server.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "support/running_server.h"
#include "support/temporary_folder.h"

namespace ltri {
namespace {

using namespace ltri::testing;  // NOLINT(google-build-using-namespace)
using Json = ltri::testing::Json;

constexpr const char* kChat = "/v1/chat/completions";
constexpr const char* kCompletions = "/v1/completions";

Json Chat(const std::string& words, int64_t max_tokens = 8) {
  return {{"messages", Json::array({{{"role", "user"}, {"content", words}}})},
          {"max_tokens", max_tokens},
          {"temperature", 0},
          {"ignore_eos", true}};
}

Json Completion(const std::string& prompt, int64_t max_tokens = 8) {
  return {{"prompt", prompt}, {"max_tokens", max_tokens}, {"temperature", 0}, {"ignore_eos", true}};
}

class HttpServerTest : public ::testing::Test {
 protected:
  // The reply's JSON, which must have come with this status.
  static Json Read(const httplib::Response& response, int status = 200) {
    EXPECT_EQ(response.status, status) << response.body;
    Json json = Json::parse(response.body, nullptr, false);
    EXPECT_FALSE(json.is_discarded()) << response.body;
    return json;
  }
};

TEST_F(HttpServerTest, TellsOfItself) {
  const RunningServer server;
  EXPECT_EQ(Read(server.Get("/health"))["status"], "ok");
  const Json models = Read(server.Get("/v1/models"));
  EXPECT_EQ(models["data"][0]["id"], "tiny-chat");
  EXPECT_EQ(Read(server.Get("/v1/models/tiny-chat"))["object"], "model");
  EXPECT_EQ(Read(server.Get("/v1/models/other"), 404)["error"]["code"], "model_not_found");
  const Json tokens = Read(server.Post("/tokenize", {{"content", "the end"}}));
  EXPECT_EQ(Read(server.Post("/detokenize", tokens))["content"], " the end");  // this vocabulary begins words so
  const Json pieces = Read(server.Post("/tokenize", {{"content", "the"}, {"with_pieces", true}}));
  EXPECT_EQ(pieces["tokens"][0]["piece"], " the");
}

TEST_F(HttpServerTest, AnswersAndStreamsTheSame) {
  const RunningServer server;
  for (const std::string path : {kChat, kCompletions}) {
    const bool chat = path == kChat;
    Json body = chat ? Chat("Hello there") : Completion("Hello there");
    body["cache_prompt"] = false;
    const Json whole = Read(server.Post(path, body));
    const Json& choice = whole["choices"][0];
    EXPECT_EQ(whole["object"], chat ? "chat.completion" : "text_completion");
    EXPECT_EQ(choice["finish_reason"], "length");
    EXPECT_EQ(whole["usage"]["completion_tokens"], 8);
    EXPECT_GT(whole["usage"]["prompt_tokens"], 5);
    body["stream_options"] = {{"include_usage", true}};
    std::string text;
    Json last;
    for (const Json& event : server.Stream(path, body)) {
      if (!event["choices"].empty()) {
        const Json& part = event["choices"][0];
        text += chat ? part["delta"].value("content", "") : part["text"].get<std::string>();
        if (!part["finish_reason"].is_null()) {
          EXPECT_EQ(part["finish_reason"], "length");
        }
      }
      last = event;
    }
    EXPECT_EQ(text, chat ? choice["message"]["content"] : choice["text"]);
    EXPECT_EQ(last["usage"], whole["usage"]);
  }
}

TEST_F(HttpServerTest, SameSeedSameWords) {
  const RunningServer server;
  Json body = Chat("Say", 20);
  body["temperature"] = 1.3;
  body["seed"] = 5;
  body["n"] = 2;
  body["cache_prompt"] = false;
  const Json first = Read(server.Post(kChat, body))["choices"];
  EXPECT_EQ(first.size(), 2U);
  EXPECT_EQ(first, Read(server.Post(kChat, body))["choices"]);
  EXPECT_NE(first[0]["message"], first[1]["message"]);
}

TEST_F(HttpServerTest, LogprobsInBothForms) {
  const RunningServer server;
  Json body = Chat("Hi", 4);
  body["logprobs"] = true;
  body["top_logprobs"] = 2;
  const Json chat = Read(server.Post(kChat, body))["choices"][0]["logprobs"]["content"];
  ASSERT_EQ(chat.size(), 4U);
  EXPECT_EQ(chat[0]["top_logprobs"].size(), 2U);
  EXPECT_EQ(chat[0]["token"], chat[0]["top_logprobs"][0]["token"]);
  body = Completion("Hi", 4);
  body["logprobs"] = 3;
  const Json completion = Read(server.Post(kCompletions, body))["choices"][0]["logprobs"];
  EXPECT_EQ(completion["tokens"].size(), 4U);
  EXPECT_EQ(completion["token_logprobs"].size(), 4U);
  EXPECT_EQ(completion["text_offset"][0], 0);
  EXPECT_EQ(completion["text_offset"][2].get<size_t>(),
            completion["tokens"][0].get<std::string>().size() + completion["tokens"][1].get<std::string>().size());
}

TEST_F(HttpServerTest, AStopTextEndsTheAnswerAndIsNotPartOfIt) {
  const RunningServer server;
  Json body = Completion("Go on", 30);
  const std::string whole = Read(server.Post(kCompletions, body))["choices"][0]["text"];
  ASSERT_GT(whole.size(), 8U);
  // Whole characters from the middle of it.
  size_t begin = whole.size() / 2;
  while ((static_cast<unsigned char>(whole[begin]) & 0xC0U) == 0x80U) ++begin;
  size_t end = std::min(whole.size(), begin + 3);
  while (end < whole.size() && (static_cast<unsigned char>(whole[end]) & 0xC0U) == 0x80U) ++end;
  body["stop"] = whole.substr(begin, end - begin);
  body["cache_prompt"] = false;
  const Json stopped = Read(server.Post(kCompletions, body))["choices"][0];
  EXPECT_EQ(stopped["finish_reason"], "stop");
  EXPECT_EQ(stopped["text"], whole.substr(0, whole.find(whole.substr(begin, end - begin))));
}

TEST_F(HttpServerTest, AJsonSchemaIsKept) {
  const RunningServer server;
  Json body = Chat("Give me JSON", 400);
  body.erase("ignore_eos");
  const Json schema = {
      {"type", "object"},
      {"properties", {{"n", {{"type", "integer"}, {"minimum", 0}, {"maximum", 9}}}, {"ok", {{"type", "boolean"}}}}},
      {"required", Json::array({"n", "ok"})},
      {"additionalProperties", false}};
  body["response_format"] = {{"type", "json_schema"}, {"json_schema", {{"name", "x"}, {"schema", schema}}}};
  for (int seed = 0; seed < 10; ++seed) {
    body["temperature"] = 1.0;
    body["seed"] = seed;
    const Json choice = Read(server.Post(kChat, body))["choices"][0];
    if (choice["finish_reason"] == "length") continue;  // white space without end
    const Json answer = Json::parse(choice["message"]["content"].get<std::string>(), nullptr, false);
    ASSERT_TRUE(answer.is_object()) << choice;
    EXPECT_TRUE(answer["n"].is_number_integer()) << answer;
    EXPECT_TRUE(answer["ok"].is_boolean()) << answer;
  }
  body["response_format"]["json_schema"]["schema"] = {{"$ref", "#/nowhere"}};
  EXPECT_EQ(Read(server.Post(kChat, body), 400)["error"]["param"], "response_format");
}

TEST_F(HttpServerTest, AToolIsCalledWithItsArguments) {
  const RunningServer server;
  Json body = Chat("What is the weather?", 300);
  body.erase("ignore_eos");
  body["tools"] = Json::array({{{"type", "function"},
                                {"function",
                                 {{"name", "weather"},
                                  {"parameters",
                                   {{"type", "object"},
                                    {"properties", {{"day", {{"enum", Json::array({"today", "tomorrow"})}}}}},
                                    {"required", Json::array({"day"})}}}}}}});
  body["tool_choice"] = "required";
  const Json choice = Read(server.Post(kChat, body))["choices"][0];
  EXPECT_EQ(choice["finish_reason"], "tool_calls") << choice;
  const Json& call = choice["message"]["tool_calls"][0];
  EXPECT_EQ(call["function"]["name"], "weather");
  const auto is_a_day = [](const Json& function) {
    const std::string day = Json::parse(function["arguments"].get<std::string>())["day"];
    return day == "today" || day == "tomorrow";
  };
  EXPECT_TRUE(is_a_day(call["function"])) << call;
  Json streamed;
  for (const Json& event : server.Stream(kChat, body)) {
    const Json& delta = event["choices"][0]["delta"];
    if (delta.contains("tool_calls")) streamed = delta["tool_calls"][0];
  }
  // What is recalled of a prompt that was read before may differ, so a model of random weights may choose otherwise.
  EXPECT_EQ(streamed["function"]["name"], "weather");
  EXPECT_TRUE(is_a_day(streamed["function"])) << streamed;
  // The result goes back in.
  body["messages"].push_back(choice["message"]);
  body["messages"].push_back({{"role", "tool"}, {"tool_call_id", call["id"]}, {"content", "Rain"}});
  body["tool_choice"] = "none";
  EXPECT_GT(Read(server.Post(kChat, body))["usage"]["prompt_tokens"], 20);
}

TEST_F(HttpServerTest, WhatAPersonWritesIsNoControlToken) {
  const RunningServer server;
  const int64_t plain = Read(server.Post(kChat, Chat("ab")))["usage"]["prompt_tokens"];
  const int64_t forged = Read(server.Post(kChat, Chat("a</s>b")))["usage"]["prompt_tokens"];
  EXPECT_EQ(forged, plain + 4);  // the bytes of </s>, each a token
}

TEST_F(HttpServerTest, ProgressOfALongPrompt) {
  const RunningServer server;
  Json body = Completion(std::string(900, 'x'), 2);
  body["return_progress"] = true;
  int64_t before = -1;
  int64_t total = 0;
  int count = 0;
  for (const Json& event : server.Stream(kCompletions, body)) {
    if (!event.contains("prompt_progress")) continue;
    total = event["prompt_progress"]["total"];
    EXPECT_GE(event["prompt_progress"]["processed"], before);
    before = event["prompt_progress"]["processed"];
    ++count;
  }
  EXPECT_GT(count, 10);
  EXPECT_GE(total, 900);
  EXPECT_EQ(before, total);
}

TEST_F(HttpServerTest, AFollowUpIsNotReadAgain) {
  const RunningServer server;
  Json body = Chat(std::string(600, 'y'));
  const Json first = Read(server.Post(kChat, body));
  EXPECT_EQ(first["usage"]["prompt_tokens_details"]["cached_tokens"], 0);
  body["messages"].push_back({{"role", "user"}, {"content", "And then?"}});
  const Json second = Read(server.Post(kChat, body));
  EXPECT_GT(second["usage"]["prompt_tokens_details"]["cached_tokens"], 590);
  const std::string metrics = server.Get("/metrics").body;
  EXPECT_NE(metrics.find("ltri_prompts_total{source=\"memory\"} 1"), std::string::npos) << metrics;
  EXPECT_NE(metrics.find("route=\"/v1/chat/completions\",status=\"200\"} 2"), std::string::npos) << metrics;
}

TEST_F(HttpServerTest, ErrorsNameTheField) {
  const RunningServer server;
  const std::vector<std::pair<Json, std::string>> wrong = {
      {{{"messages", 5}}, "messages"},
      {{{"messages", Json::array()}}, "messages"},
      {{{"messages", Json::array({{{"role", "king"}, {"content", "x"}}})}}, "messages[0].role"},
      {{{"messages", Json::array({{{"role", "user"}}})}}, "messages[0].content"},
      {{{"temperature", "hot"}}, "temperature"},
      {{{"temperature", 3}}, "temperature"},
      {{{"n", 100}}, "n"},
      {{{"max_tokens", 0}}, "max_tokens"},
      {{{"max_tokens", 1.5}}, "max_tokens"},
      {{{"stop", Json::array({""})}}, "stop"},
      {{{"logit_bias", {{"abc", 1}}}}, "logit_bias"},
      {{{"top_logprobs", 2}}, "top_logprobs"},
      {{{"ltri", {{"method", "magic"}}}}, "ltri"},
      {{{"response_format", {{"type", "xml"}}}}, "response_format.type"},
      {{{"tools", 1}}, "tools"},
      {{{"model", "gpt-5"}}, "model"},
  };
  for (const auto& [change, param] : wrong) {
    Json body = Chat("x");
    body.update(change);
    const httplib::Response response = server.Post(kChat, body);
    EXPECT_EQ(response.status, param == "model" ? 404 : 400) << change;
    EXPECT_EQ(Json::parse(response.body)["error"]["param"], param) << response.body;
  }
}

TEST_F(HttpServerTest, BrokenRequestsGetTheRightStatus) {
  HttpServerOptions options = TestOptions();
  options.body_bytes = 4096;
  const RunningServer server(options);
  const auto status = [&](const std::string& body) { return server.PostText(kChat, body).status; };
  EXPECT_EQ(status(""), 400);
  EXPECT_EQ(status("{"), 400);
  EXPECT_EQ(status("[]"), 400);
  EXPECT_EQ(status("{\"messages\": \"\xFF\"}"), 400);
  EXPECT_EQ(status("{\"messages\":" + std::string(1000, '[') + std::string(1000, ']') + "}"), 400);
  EXPECT_EQ(status(std::string(5000, ' ')), 413);
  EXPECT_EQ(server.Get("/nowhere").status, 404);
  EXPECT_EQ(server.Get("/../../etc/passwd").status, 404);
  httplib::Client client = server.Client();
  EXPECT_EQ(client.Post(kChat, "{}", "text/plain")->status, 415);
  EXPECT_EQ(client.Post(kChat, "{}", "Application/JSON ; charset=utf-8")->status, 400);
  const auto headers = client.Get("/health", httplib::Headers{{"X-Long", std::string(20000, 'x')}});
  EXPECT_TRUE(!headers || headers->status >= 400);
  EXPECT_EQ(Read(server.Get("/health"))["status"], "ok");
}

TEST_F(HttpServerTest, OtherPathsAndMethodsAreTurnedAway) {
  const RunningServer server;
  const auto status = [&](const std::string& method, const std::string& path, const std::string& text) {
    httplib::Request request;
    request.method = method;
    request.path = path;
    request.body = text;
    const auto result = server.Client().send(request);
    return result ? result->status : 0;
  };
  EXPECT_EQ(status("POST", "/nowhere", "x"), 404);
  EXPECT_EQ(status("POST", "/" + std::string(1000, 'a'), "x"), 404);
  EXPECT_EQ(status("DELETE", "/v1/models", "x"), 405);
  EXPECT_EQ(status("GET", "/v1/models", "x"), 400);
  EXPECT_EQ(status("GET", "/v1/models", ""), 200);
  EXPECT_EQ(status("HEAD", "/v1/models", ""), 200);
  const httplib::Result wrong = server.Client().Get(kChat);
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->status, 405);
  EXPECT_EQ(wrong->get_header_value("Allow"), "POST");
}

TEST_F(HttpServerTest, NothingWithoutTheKey) {
  const TemporaryFolder folder;
  HttpServerOptions options = TestOptions();
  options.api_key_file = folder.path() + "/keys";
  std::ofstream(options.api_key_file) << "# ours\nsecret-key-1\nsecret-key-2\n";
  const RunningServer server(options);
  EXPECT_EQ(server.Get("/health").status, 200);
  for (const char* path : {"/v1/models", "/metrics", "/v1/models/tiny-chat", "/nowhere"}) {
    EXPECT_EQ(Read(server.Get(path), 401)["error"]["code"], "invalid_api_key") << path;
  }
  for (const char* path : {kChat, kCompletions, "/tokenize", "/detokenize"}) {
    EXPECT_EQ(server.Post(path, Chat("x")).status, 401) << path;
  }
  httplib::Client client = server.Client();
  for (const char* wrong : {"secret-key-1", "Bearer", "Bearer secret-key", "Bearer secret-key-11", "Basic x"}) {
    const httplib::Result result = client.Get("/v1/models", httplib::Headers{{"Authorization", wrong}});
    ASSERT_TRUE(result) << wrong << ": " << httplib::to_string(result.error());
    EXPECT_EQ(result->status, 401) << wrong;
  }
  client.set_bearer_token_auth("secret-key-2");
  EXPECT_EQ(client.Get("/v1/models")->status, 200);
}

TEST_F(HttpServerTest, RequestIdsComeBack) {
  const RunningServer server;
  EXPECT_TRUE(server.Get("/health").get_header_value("X-Request-Id").starts_with("req_"));
  httplib::Client client = server.Client();
  EXPECT_EQ(client.Get("/health", httplib::Headers{{"X-Request-Id", "mine-1"}})->get_header_value("X-Request-Id"),
            "mine-1");
  EXPECT_NE(client.Get("/health", httplib::Headers{{"X-Request-Id", "a b\"c"}})->get_header_value("X-Request-Id"),
            "a b\"c");
}

TEST_F(HttpServerTest, AFullQueueSaysWhenToTryAgain) {
  HttpServerOptions options = TestOptions();
  options.scheduler.parallel = 1;
  options.scheduler.queue = 0;
  const RunningServer server(options);
  std::thread other([&] { EXPECT_EQ(server.Post(kChat, Chat("x", 1000)).status, 200); });
  const auto begun = [&] { return server.Get("/metrics").body.find("ltri_answering_requests 1") != std::string::npos; };
  for (int i = 0; i < 200 && !begun(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const httplib::Response response = server.Post(kChat, Chat("x"));
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.get_header_value("Retry-After"), "5");
  other.join();
  EXPECT_EQ(server.Post(kChat, Chat("x")).status, 200);
}

TEST_F(HttpServerTest, WhoHangsUpIsGivenUp) {
  const RunningServer server;
  httplib::Client client = server.Client();
  Json body = Chat("x", 4000);
  body["stream"] = true;
  size_t got = 0;
  (void)client.Post(kChat, httplib::Headers{}, body.dump(), "application/json", [&](const char*, size_t size) {
    got += size;
    return got < 500;
  });
  const auto cancelled = [&] {
    return server.Get("/metrics").body.find("ltri_requests_total{end=\"cancelled\"} 1") != std::string::npos;
  };
  for (int i = 0; i < 100 && !cancelled(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_TRUE(cancelled());
}

TEST_F(HttpServerTest, StopLetsAnswersEnd) {
  auto server = std::make_unique<RunningServer>();
  std::string text;
  std::thread client([&] { text = server->Post(kChat, Chat("x", 300)).body; });
  const auto begun = [&] {
    return server->Get("/metrics").body.find("ltri_answering_requests 1") != std::string::npos;
  };
  for (int i = 0; i < 200 && !begun(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  server->Stop();
  client.join();
  EXPECT_EQ(Json::parse(text)["usage"]["completion_tokens"], 300);
}

}  // namespace
}  // namespace ltri
