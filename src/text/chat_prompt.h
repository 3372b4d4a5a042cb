// A conversation with tools, in the form that OpenAI's clients send it: as a prompt, and back from what was answered.
//
// A template that knows tools writes them its own way and its answers are read by llama.cpp's parser for it. For other
// templates the tools are described in the system message and the answer is a JSON object that a grammar enforces.
#ifndef LTRI_TEXT_CHAT_PROMPT_H_
#define LTRI_TEXT_CHAT_PROMPT_H_

#include <memory>
#include <string>
#include <vector>

#include "ltri/options.h"
#include "ltri/result.h"
#include "text/grammar.h"

namespace ltri {

enum class ToolChoice { kAuto, kNone, kRequired };

struct ChatRequest {
  std::string messages;  // a JSON array of {"role", "content", "tool_calls", "tool_call_id", ...}
  std::string tools;     // a JSON array of {"type": "function", "function": {...}}; empty: none
  ToolChoice tool_choice = ToolChoice::kAuto;
  bool parallel_tool_calls = false;
};

struct ToolCall {
  std::string name;
  std::string arguments;  // JSON
};

struct ChatReply {
  std::string content;
  std::string reasoning;
  std::vector<ToolCall> tool_calls;
};

// Reads answers to one prompt. Thread-safe.
class ChatReplyFormat {
 public:
  virtual ~ChatReplyFormat() = default;
  // Error kInvalidArgument when the answer is not of the format, for instance because it was cut off.
  virtual Result<ChatReply> Parse(const std::string& answer) const = 0;
};

struct ChatPrompt {
  std::string text;                              // to be tokenized with its control tokens
  Grammar grammar;                               // rules empty: any answer
  std::vector<std::string> stops;                // texts that end the answer
  std::vector<TokenId> shown;                    // control tokens that `reply` has to see
  std::shared_ptr<const ChatReplyFormat> reply;  // null: the answer is the content as it stands
};

}  // namespace ltri

#endif  // LTRI_TEXT_CHAT_PROMPT_H_
