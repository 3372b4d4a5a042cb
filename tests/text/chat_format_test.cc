#include "text/chat_format.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace ltri {
namespace {

TEST(ChatFormatTest, AModelWithoutTemplateIsToldAboutRaw) {
  const std::string path = std::string(LTRI_TEST_VOCABULARIES) + "/ggml-vocab-llama-spm.gguf";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "skipped: no vocabulary " << path;
  auto tokenizer = Tokenizer::Load(path);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  const auto format = ChatFormat::Create(*tokenizer);
  ASSERT_FALSE(format.ok());
  EXPECT_EQ(format.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(format.error().message.find("--raw"), std::string::npos);
}

}  // namespace
}  // namespace ltri
