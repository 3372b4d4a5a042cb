// Documents over HTTP.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "library/library_lock.h"
#include "support/running_server.h"
#include "support/temporary_folder.h"

namespace ltri {
namespace {

using namespace ltri::testing;  // NOLINT(google-build-using-namespace)
using Json = ltri::testing::Json;

class DocumentsTest : public ::testing::Test {
 protected:
  static HttpServerOptions Options(const TemporaryFolder& folder) {
    HttpServerOptions options = TestOptions();
    options.library = folder.path() + "/library";
    options.document_bytes = 100000;
    return options;
  }

  httplib::Response Upload(const std::string& name, const std::string& text) const {
    httplib::Client client = server_.Client();
    const httplib::Params parameters = {{"name", name}};
    const auto result =
        client.Post(httplib::append_query_params("/v1/documents", parameters), text, "application/octet-stream");
    return result ? *result : httplib::Response();
  }

  // The state it ends in.
  Json WaitFor(const std::string& name) const {
    Json status;
    for (int i = 0; i < 400; ++i) {
      status = Json::parse(server_.Get("/v1/documents/" + name).body);
      if (status["status"] != "waiting" && status["status"] != "reading") break;
      std::this_thread::sleep_for(std::chrono::milliseconds(25));
    }
    return status;
  }

  TemporaryFolder folder_;
  RunningServer server_{Options(folder_)};
};

TEST_F(DocumentsTest, UploadedAskedAndDeleted) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "Sentence " + std::to_string(i) + " of the long text. ";
  const httplib::Response uploaded = Upload("book", text);
  ASSERT_EQ(uploaded.status, 202) << uploaded.body;
  EXPECT_EQ(Json::parse(uploaded.body)["bytes"], text.size());
  const Json status = WaitFor("book");
  ASSERT_EQ(status["status"], "ready") << status;
  EXPECT_EQ(Json::parse(server_.Get("/v1/documents").body)["data"].size(), 1U);
  EXPECT_EQ(server_.Get("/v1/documents/book/text?begin=9&end=20").body, text.substr(9, 11));
  EXPECT_NE(server_.Get("/v1/documents/book/events").body.find("\"ready\""), std::string::npos);

  Json body = {{"documents", Json::array({"book"})},
               {"messages", Json::array({{{"role", "user"}, {"content", "Which?"}}})},
               {"max_tokens", 6},
               {"temperature", 0},
               {"ignore_eos", true}};
  const httplib::Response response = server_.Post("/v1/chat/completions", body);
  ASSERT_EQ(response.status, 200) << response.body;
  const Json answer = Json::parse(response.body);
  EXPECT_GT(answer["usage"]["prompt_tokens_details"]["cached_tokens"], 1000);
  ASSERT_FALSE(answer["citations"].empty()) << answer;
  const Json& citation = answer["citations"][0];
  EXPECT_EQ(citation["document"], "book");
  EXPECT_LT(citation["begin"], citation["end"]);
  EXPECT_LE(citation["end"], text.size());
  const std::string range = fmt::format("begin={}&end={}", citation["begin"].dump(), citation["end"].dump());
  EXPECT_EQ(server_.Get("/v1/documents/book/text?" + range).body.substr(0, 20),
            citation["text"].get<std::string>().substr(0, 20));
  body["ltri"] = {{"map", true}};
  const std::vector<Json> events = server_.Stream("/v1/chat/completions", body);
  EXPECT_EQ(events.back()["citations"], answer["citations"]);
  const Json& map = events.back()["memory_map"];
  EXPECT_GT(map["tokens"], 1000);
  EXPECT_FALSE(map["votes"].empty());
  ASSERT_FALSE(map["layers"].empty());
  int64_t end = 0;
  for (const Json& seen : map["layers"][0]) {
    EXPECT_GE(seen[0], end);
    EXPECT_GT(seen[1], seen[0]);
    end = seen[1];
  }

  httplib::Client client = server_.Client();
  EXPECT_EQ(client.Delete("/v1/documents/book")->status, 200);
  EXPECT_EQ(client.Delete("/v1/documents/book")->status, 404);
  EXPECT_EQ(server_.Post("/v1/chat/completions", body).status, 404);
}

TEST_F(DocumentsTest, NamesCannotLeaveTheFolder) {
  for (const char* name : {"", ".", "..", "../x", "a/b", "/etc/passwd", "a\\b", "x\n"}) {
    EXPECT_EQ(Upload(name, "text").status, 400) << name;
  }
  for (const char* name : {"..%2F..%2Fetc%2Fpasswd", "%2e%2e", "..", "%2Fetc%2Fpasswd", "x%00y"}) {
    const int status = server_.Get(fmt::format("/v1/documents/{}/text", name)).status;
    EXPECT_TRUE(status == 400 || status == 404) << name << ": " << status;
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path())) {
    const bool of_catalogue = entry.path().parent_path().filename() == "library";
    EXPECT_FALSE(entry.is_regular_file() && !of_catalogue) << entry.path();
  }
}

TEST_F(DocumentsTest, TooLargeAndNotText) {
  EXPECT_EQ(Upload("large", std::string(200000, 'x')).status, 413);
  ASSERT_EQ(Upload("bytes", "\xFF\xFE\xFA").status, 202);
  EXPECT_EQ(WaitFor("bytes")["status"], "failed");
  EXPECT_EQ(Upload("bytes", "now it is text").status, 202);
  EXPECT_EQ(WaitFor("bytes")["status"], "ready");
  EXPECT_EQ(Upload("bytes", "again").status, 409);
}

std::string Words(size_t bytes) {
  std::string text;
  for (int i = 0; text.size() < bytes; ++i) text += fmt::format("Sentence {} of a text that takes its time. ", i);
  return text;
}

TEST_F(DocumentsTest, WhatIsReadOrWaitsCanBeDeletedAndTheOthersGoOn) {
  const std::string text = Words(60000);
  ASSERT_EQ(Upload("first", text).status, 202);
  ASSERT_EQ(Upload("second", text).status, 202);
  ASSERT_EQ(Upload("third", Words(2000)).status, 202);
  const auto reading = [&](const std::string& name) {
    return Json::parse(server_.Get("/v1/documents/" + name).body)["status"] == "reading";
  };
  for (int i = 0; i < 400 && !reading("first"); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ASSERT_TRUE(reading("first"));
  EXPECT_EQ(server_.Client().Delete("/v1/documents/second")->status, 200);
  EXPECT_EQ(server_.Get("/v1/documents/second").status, 404);
  EXPECT_EQ(server_.Client().Delete("/v1/documents/first")->status, 200);
  EXPECT_EQ(WaitFor("third")["status"], "ready");
  EXPECT_EQ(Json::parse(server_.Get("/v1/documents").body)["data"].size(), 1U);
  // What was read is in the library only; what was deleted is nowhere.
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path() + "/library-uploads"));
  EXPECT_EQ(Upload("first", "another text").status, 202);
  EXPECT_EQ(WaitFor("first")["status"], "ready");
}

TEST_F(DocumentsTest, AnUploadWaitsForAnotherProcessThatWrites) {
  auto lock = LibraryLock::Take(FileSystem::Posix(), folder_.path() + "/library");
  ASSERT_TRUE(lock.ok());
  ASSERT_EQ(Upload("book", "Some words of it.").status, 202);
  Json status;
  for (int i = 0; i < 400 && !status.contains("error"); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    status = Json::parse(server_.Get("/v1/documents/book").body);
  }
  EXPECT_EQ(status["status"], "waiting");
  EXPECT_NE(status["error"].get<std::string>().find("is being written by"), std::string::npos) << status;
  EXPECT_EQ(server_.Client().Delete("/v1/documents/book")->status, 409);
  lock = Error{};
  EXPECT_EQ(WaitFor("book")["status"], "ready");
}

TEST_F(DocumentsTest, AQuestionMayNotBeLongerThanAPrompt) {
  HttpServerOptions options = Options(folder_);
  options.library += "2";
  options.prompt_tokens = 50;
  const RunningServer server(options);
  httplib::Client client = server.Client();
  ASSERT_EQ(client.Post("/v1/documents?name=book", Words(1000), "application/octet-stream")->status, 202);
  for (int i = 0; i < 400 && server.Get("/v1/documents/book").body.find("ready") == std::string::npos; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
  }
  const auto ask = [&](const std::string& question) {
    return server.Post("/v1/chat/completions", {{"documents", Json::array({"book"})},
                                                {"messages", Json::array({{{"role", "user"}, {"content", question}}})},
                                                {"max_tokens", 1}});
  };
  EXPECT_EQ(ask("Why?").status, 200);
  const httplib::Response refused = ask(Words(200));
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(Json::parse(refused.body)["error"]["code"], "context_length_exceeded");
}

}  // namespace
}  // namespace ltri
