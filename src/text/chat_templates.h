// What ChatFormat holds of llama.cpp. For the files of src/text that implement it.
#ifndef LTRI_TEXT_CHAT_TEMPLATES_H_
#define LTRI_TEXT_CHAT_TEMPLATES_H_

#include <memory>
#include <string>

#include "chat.h"
#include "text/chat_format.h"

namespace ltri {

struct ChatFormat::Impl {
  std::shared_ptr<const Tokenizer> tokenizer;  // the templates name its tokens
  common_chat_templates_ptr templates;
};

// The beginning of a message of llama.cpp, without line ends.
std::string OneLine(const std::string& text);

}  // namespace ltri

#endif  // LTRI_TEXT_CHAT_TEMPLATES_H_
