#include "text/chat_format.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/test_model.h"

namespace ltri {
namespace {

class SmolChatTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string path = TestModel("smollm2");
    if (path.empty()) GTEST_SKIP() << kNoTestModel;
    auto tokenizer = Tokenizer::Load(path);
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
    tokenizer_ = *tokenizer;
    auto format = ChatFormat::Create(tokenizer_);
    ASSERT_TRUE(format.ok()) << format.error().message;
    format_ = *format;
  }

  std::shared_ptr<Tokenizer> tokenizer_;
  std::shared_ptr<ChatFormat> format_;
  const std::vector<ChatMessage> start_ = {{"system", "Be brief."}, {"user", "Hi <there>"}};
};

TEST_F(SmolChatTest, FormatsAConversation) {
  const auto text = format_->Format(start_, true);
  ASSERT_TRUE(text.ok()) << text.error().message;
  EXPECT_EQ(*text,
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi <there><|im_end|>\n"
            "<|im_start|>assistant\n");
  EXPECT_EQ(*format_->Format(start_, false) + "<|im_start|>assistant\n", *text);
}

TEST_F(SmolChatTest, NextTurnsAddUpToTheWholeConversation) {
  std::vector<ChatMessage> messages = start_;
  std::string session = *format_->Format(messages, true);
  for (const char* reply : {" Hello. ", "Fine"}) {
    session += reply;
    messages.push_back({"assistant", reply});
    const ChatMessage next{"user", "And then?"};
    const auto delta = format_->FormatNext(messages, next);
    ASSERT_TRUE(delta.ok()) << delta.error().message;
    session += *delta;
    messages.push_back(next);
    EXPECT_EQ(session, *format_->Format(messages, true));
  }
  EXPECT_EQ(*format_->FormatNext(std::span(start_).first(1), start_[1]),
            "<|im_start|>user\nHi <there><|im_end|>\n<|im_start|>assistant\n");
}

TEST_F(SmolChatTest, ControlTokensOfTheTemplateAreSingle) {
  const auto tokens = tokenizer_->Encode(*format_->Format(start_, true), true, true);
  ASSERT_TRUE(tokens.ok());
  EXPECT_EQ(tokenizer_->Piece(tokens->front(), true), "<|im_start|>");
  EXPECT_TRUE(tokenizer_->IsEndOfGeneration(tokenizer_->Encode("<|im_end|>", false, true)->front()));
}

TEST_F(SmolChatTest, RefusesNothingAndTextThatIsNotUtf8) {
  EXPECT_FALSE(format_->Format({}, true).ok());
  const std::vector<ChatMessage> bad = {{"user", "\xFF"}};
  EXPECT_FALSE(format_->Format(bad, true).ok());
}

}  // namespace
}  // namespace ltri
