// Tiny random models for tests that run the program. gtest may run each test in a process of its own, so each process
// writes its files under its own name.
#ifndef LTRI_TESTS_CLI_TINY_PROGRAM_H_
#define LTRI_TESTS_CLI_TINY_PROGRAM_H_

#include <gguf.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "support/temporary_folder.h"
#include "support/tiny_gguf.h"

namespace ltri {

// One folder for the life of the test program.
inline const TemporaryFolder& TestFolder() {
  static const TemporaryFolder folder;
  return folder;
}

// A model without chat template, unless `edit` adds one.
inline std::string TinyModel(const std::string& name = "tiny", const std::function<void(gguf_context*)>& edit = {}) {
  testing::TinyModelSpec spec = testing::TinySpec("llama");
  spec.name = name;
  return testing::WriteTinyGguf(spec, TestFolder().path(), edit);
}

inline std::string TinyChatModel() {
  return TinyModel("tiny-chat", [](gguf_context* file) {
    gguf_set_val_str(file, "tokenizer.chat_template",
                     "{% for m in messages %}<|begin|>{{ m.role }}: {{ m.content }}<|end|>{% endfor %}"
                     "{% if add_generation_prompt %}<|begin|>assistant: {% endif %}");
  });
}

// A text of about `bytes` bytes, as many tokens for a tiny model.
inline std::string LongText(size_t bytes) {
  std::string text;
  for (size_t i = 0; text.size() < bytes; ++i) text += "Line " + std::to_string(i) + " of a long text. ";
  return text;
}

inline bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace ltri

#endif  // LTRI_TESTS_CLI_TINY_PROGRAM_H_
