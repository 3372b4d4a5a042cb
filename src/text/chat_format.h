// ChatFormat: a conversation as the text that the model was trained to continue, by the template in its file.
//
// Thread-safe. Encode the results with parse_special; the first text of a session with add_special, later ones without.
#ifndef LTRI_TEXT_CHAT_FORMAT_H_
#define LTRI_TEXT_CHAT_FORMAT_H_

#include <memory>
#include <span>
#include <string>

#include "ltri/model.h"
#include "ltri/result.h"
#include "text/tokenizer.h"

namespace ltri {

struct ChatPrompt;
struct ChatRequest;

class ChatFormat {
 public:
  // Error kUnsupported when the model has no template, or one that cannot be understood.
  static Result<std::shared_ptr<ChatFormat>> Create(std::shared_ptr<const Tokenizer> tokenizer);

  ~ChatFormat();
  ChatFormat(const ChatFormat&) = delete;
  ChatFormat& operator=(const ChatFormat&) = delete;

  // The whole conversation. add_generation_prompt: end with the words that open the assistant's turn. Errors: the
  // template refuses the conversation (roles that do not alternate, ...), with its own words.
  Result<std::string> Format(std::span<const ChatMessage> messages, bool add_generation_prompt) const;

  // What to append to a session that has read `seen`, for it to answer `next`. When `seen` ends with the assistant's
  // reply, the session holds that reply's text but not the token that ended it: the result starts with the end of the
  // turn. It ends with the words that open the assistant's next turn.
  Result<std::string> FormatNext(std::span<const ChatMessage> seen, const ChatMessage& next) const;

  // A request with tools; the header text/chat_prompt.h says what goes in and comes out.
  Result<ChatPrompt> Prompt(const ChatRequest& request) const;

  // The template's source, for `ltri inspect`.
  std::string source() const;

 private:
  struct Impl;
  explicit ChatFormat(std::unique_ptr<Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace ltri

#endif  // LTRI_TEXT_CHAT_FORMAT_H_
