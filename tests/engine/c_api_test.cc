// The public API for C.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "ltri/ltri.h"
#include "ltri/session.h"
#include "support/temporary_folder.h"
#include "support/tiny_gguf.h"

namespace ltri {
namespace {

using ::testing::HasSubstr;

bool Collect(const char* piece, size_t bytes, void* user) {
  static_cast<std::string*>(user)->append(piece, bytes);
  return true;
}

bool Stop(int64_t /*done*/, int64_t /*tokens*/, void* user) {
  ++*static_cast<int*>(user);
  return false;
}

class CApiTest : public ::testing::Test {
 protected:
  CApiTest() {
    options_.window = 256;
    options_.block = 64;
  }
  ~CApiTest() override { ltri_model_free(model_); }

  ltri_session* Make() const {
    ltri_session* session = ltri_session_create(model_, &options_);
    EXPECT_NE(session, nullptr) << ltri_error();
    return session;
  }

  const TemporaryFolder folder_;
  const std::string path_ = testing::WriteTinyGguf(testing::TinySpec("llama"), folder_.path());
  ltri_options options_ = ltri_default_options();
  ltri_model* model_ = ltri_model_load(path_.c_str(), 1);
};

TEST_F(CApiTest, AnswersLikeTheClassesOfCpp) {
  ASSERT_NE(model_, nullptr) << ltri_error();
  const std::string text = "Once upon a time there was a whale.";
  ltri_generate_options generate = ltri_default_generate_options();
  generate.max_tokens = 12;
  ltri_session* session = Make();
  ASSERT_EQ(ltri_session_append(session, text.data(), text.size(), false, nullptr, nullptr), LTRI_OK) << ltri_error();
  ltri_session* fork = ltri_session_fork(session);
  std::string answer;
  std::string again;
  ASSERT_EQ(ltri_session_generate(session, &generate, Collect, &answer), LTRI_OK) << ltri_error();
  ASSERT_EQ(ltri_session_generate(fork, &generate, Collect, &again), LTRI_OK) << ltri_error();
  EXPECT_EQ(answer, again);
  EXPECT_GT(ltri_session_memory(session), 0);

  SessionOptions options;
  options.window = 256;
  options.block = 64;
  Result<Session> direct = Session::Create(*Model::Load(path_, {.threads = 1}), options);
  ASSERT_TRUE(direct.ok());
  ASSERT_TRUE(direct->Append(text).ok());
  GenerateOptions direct_generate;
  direct_generate.max_tokens = 12;
  EXPECT_EQ(direct->Generate(direct_generate)->text, answer);
  EXPECT_EQ(static_cast<int64_t>(direct->tokens().size()), ltri_session_tokens(session));

  EXPECT_EQ(ltri_session_truncate(session, 3), LTRI_OK);
  EXPECT_EQ(ltri_session_tokens(session), 3);
  ltri_session_free(session);
  ltri_session_free(fork);
}

TEST_F(CApiTest, FailuresAreSaid) {
  EXPECT_EQ(ltri_model_load("/no/such/model.gguf", 1), nullptr);
  EXPECT_EQ(ltri_error_status(), LTRI_NOT_FOUND);
  EXPECT_THAT(ltri_error(), HasSubstr("/no/such/model.gguf"));
  EXPECT_EQ(ltri_model_load(nullptr, 1), nullptr);
  EXPECT_EQ(ltri_error_status(), LTRI_INVALID_ARGUMENT);

  ltri_options wrong = ltri_default_options();
  wrong.method = "magic";
  EXPECT_EQ(ltri_session_create(model_, &wrong), nullptr);
  EXPECT_THAT(ltri_error(), HasSubstr("magic"));

  ltri_session* session = Make();
  EXPECT_EQ(ltri_session_append(session, "a\xff", 2, false, nullptr, nullptr), LTRI_INVALID_ARGUMENT);
  EXPECT_EQ(ltri_session_generate(session, nullptr, nullptr, nullptr), LTRI_INVALID_ARGUMENT);
  int calls = 0;
  const std::string text(2000, 'a');
  EXPECT_EQ(ltri_session_append(session, text.data(), text.size(), false, Stop, &calls), LTRI_CANCELLED);
  EXPECT_EQ(calls, 1);
  ltri_session_free(session);
}

}  // namespace
}  // namespace ltri
