#include "weights/gguf_vocabulary.h"

#include <gguf.h>
#include <gtest/gtest.h>

#include <vector>

#include "ltri/model.h"
#include "support/temporary_folder.h"
#include "support/tiny_gguf.h"

namespace ltri {
namespace {

// A model whose entry `to` says what entry `from` does.
std::string WithTwins(const std::string& folder, int64_t from, int64_t to) {
  return testing::WriteTinyGguf(testing::TinySpec("llama"), folder, [=](gguf_context* file) {
    const int64_t key = gguf_find_key(file, "tokenizer.ggml.tokens");
    std::vector<std::string> texts;
    for (size_t i = 0; i < gguf_get_arr_n(file, key); ++i) texts.emplace_back(gguf_get_arr_str(file, key, i));
    texts[static_cast<size_t>(to)] = texts[static_cast<size_t>(from)];
    std::vector<const char*> pointers;
    pointers.reserve(texts.size());
    for (const std::string& text : texts) pointers.push_back(text.c_str());
    gguf_set_arr_str(file, "tokenizer.ggml.tokens", pointers.data(), pointers.size());
  });
}

TEST(GgufVocabularyTest, EntriesOfTheSameTextAreAnErrorAndNoAbort) {
  const TemporaryFolder folder;
  const std::string path = WithTwins(folder.path(), 40, 77);
  const Result<std::shared_ptr<Model>> model = Model::Load(path);
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(model.error().message.find(path), std::string::npos) << model.error().message;
  EXPECT_NE(model.error().message.find("entries 40 and 77 have the same text"), std::string::npos)
      << model.error().message;
}

TEST(GgufVocabularyTest, OtherVocabulariesPass) {
  const TemporaryFolder folder;
  EXPECT_TRUE(Model::Load(WithTwins(folder.path(), 5, 5)).ok());
}

}  // namespace
}  // namespace ltri
