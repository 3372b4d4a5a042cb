#include "serve/kept_sessions.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "serve/prefix_cache.h"
#include "support/chat_model.h"
#include "support/running_server.h"
#include "support/temporary_folder.h"
#include "support/tiny_session.h"

namespace ltri {
namespace {

using namespace ltri::testing;  // NOLINT(google-build-using-namespace)
using Json = ltri::testing::Json;

Json Ask(const RunningServer& server, const std::string& prompt) {
  const httplib::Response response =
      server.Post("/v1/completions", {{"prompt", prompt}, {"max_tokens", 6}, {"temperature", 0}, {"ignore_eos", true}});
  EXPECT_EQ(response.status, 200) << response.body;
  return Json::parse(response.body);
}

TEST(KeptSessionsTest, AServerKnowsWhatItReadBeforeItsRestart) {
  const TemporaryFolder folder;
  HttpServerOptions options = TestOptions();
  options.state = folder.path() + "/state";
  const std::string text(600, 'z');
  Json alone;
  {
    RunningServer first(options);
    Ask(first, text + " one");
    Ask(first, std::string(500, 'q') + " two");
    alone = Ask(first, text + " three");
    EXPECT_GT(alone["usage"]["prompt_tokens_details"]["cached_tokens"], 590);
  }
  for (int restart = 0; restart < 2; ++restart) {
    RunningServer next(options);
    const Json again = Ask(next, text + (restart == 0 ? " four" : " five"));
    EXPECT_GT(again["usage"]["prompt_tokens_details"]["cached_tokens"], 590) << restart;
    EXPECT_GT(Ask(next, std::string(500, 'q') + " six")["usage"]["prompt_tokens_details"]["cached_tokens"], 490);
  }
}

TEST(KeptSessionsTest, WhatIsDamagedIsNotUsed) {
  const TemporaryFolder folder;
  HttpServerOptions options = TestOptions();
  options.state = folder.path() + "/state";
  {
    RunningServer first(options);
    Ask(first, std::string(600, 'z'));
  }
  const std::string path = options.state + "/kept/sessions";
  ASSERT_TRUE(std::filesystem::exists(path));
  for (const int64_t place : {0, 9, 100, -1}) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(place < 0 ? static_cast<int64_t>(std::filesystem::file_size(path)) - 1 : place);
    file.put('\x55');
    file.close();
    EXPECT_FALSE(BringBackSessions(FileSystem::Posix(), options.state, ChatModel(), Tier::Create()).ok()) << place;
  }
  std::filesystem::resize_file(path, 3);
  EXPECT_FALSE(BringBackSessions(FileSystem::Posix(), options.state, ChatModel(), Tier::Create()).ok());
  RunningServer next(options);
  EXPECT_EQ(Ask(next, std::string(600, 'z'))["usage"]["prompt_tokens_details"]["cached_tokens"], 0);
}

TEST(KeptSessionsTest, AnotherModelsAreNotBroughtBack) {
  const TemporaryFolder folder;
  const std::string state = folder.path() + "/state";
  Session session = MakeSession(TinyModel("llama"), SmallOptions("ltri"));
  LogitsAfter(session, TinyText(200, 1));
  const std::unique_ptr<Session::Impl> impl = Session::Impl::TakeFrom(std::move(session));
  ASSERT_TRUE(KeepSessions(FileSystem::Posix(), state, {impl.get()}).ok());
  EXPECT_EQ(BringBackSessions(FileSystem::Posix(), state, TinyModel("llama"), Tier::Create())->size(), 1U);
  EXPECT_FALSE(BringBackSessions(FileSystem::Posix(), state, ChatModel(), Tier::Create()).ok());
  ASSERT_TRUE(KeepSessions(FileSystem::Posix(), state, {}).ok());
  EXPECT_EQ(BringBackSessions(FileSystem::Posix(), state, ChatModel(), Tier::Create())->size(), 0U);
}

}  // namespace
}  // namespace ltri
