#include "text/chat_prompt.h"

#include <fmt/format.h>

#include <exception>
#include <utility>

#include "chat.h"
#include "text/chat_templates.h"
#include "text/plain_tools.h"

namespace ltri {
namespace {

// Answers in the format of a template that knows tools.
class TemplateReply : public ChatReplyFormat {
 public:
  explicit TemplateReply(const common_chat_params& params) : params_(params) {
    params_.reasoning_format = COMMON_REASONING_FORMAT_DEEPSEEK;
    if (!params.parser.empty()) params_.parser.load(params.parser);
  }

  Result<ChatReply> Parse(const std::string& answer) const override {
    try {
      const common_chat_msg message = common_chat_parse(answer, /*is_partial=*/false, params_);
      ChatReply reply{message.content, message.reasoning_content, {}};
      for (const common_chat_tool_call& call : message.tool_calls)
        reply.tool_calls.push_back({call.name, call.arguments});
      return reply;
    } catch (const std::exception& e) {
      return Error{ErrorCode::kInvalidArgument, fmt::format("the answer is no tool call: {}", OneLine(e.what()))};
    }
  }

 private:
  common_chat_parser_params params_;
};

common_chat_tool_choice Converted(ToolChoice choice) {
  switch (choice) {
    case ToolChoice::kAuto:
      return COMMON_CHAT_TOOL_CHOICE_AUTO;
    case ToolChoice::kNone:
      return COMMON_CHAT_TOOL_CHOICE_NONE;
    case ToolChoice::kRequired:
      return COMMON_CHAT_TOOL_CHOICE_REQUIRED;
  }
  return COMMON_CHAT_TOOL_CHOICE_AUTO;
}

// As a regular expression over the answer so far; empty: the trigger is a token.
std::string TriggerText(const common_grammar_trigger& trigger) {
  switch (trigger.type) {
    case COMMON_GRAMMAR_TRIGGER_TYPE_WORD:
      return regex_escape(trigger.value);
    case COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN_FULL:
      return fmt::format("^(?:{})$", trigger.value);
    default:
      return trigger.value;
  }
}

Grammar ConvertedGrammar(const common_chat_params& params, const Tokenizer& tokenizer) {
  Grammar grammar;
  grammar.rules = params.grammar;
  grammar.lazy = params.grammar_lazy;
  for (const common_grammar_trigger& trigger : params.grammar_triggers) {
    const Result<std::vector<TokenId>> tokens = tokenizer.Encode(trigger.value, false, true);
    if (trigger.type == COMMON_GRAMMAR_TRIGGER_TYPE_TOKEN) {
      grammar.trigger_tokens.push_back(trigger.token);
    } else if (trigger.type == COMMON_GRAMMAR_TRIGGER_TYPE_WORD && tokens.ok() && tokens->size() == 1) {
      grammar.trigger_tokens.push_back(tokens->front());
    } else {
      grammar.trigger_texts.push_back(TriggerText(trigger));
    }
  }
  if (!params.grammar_lazy && !params.generation_prompt.empty()) {
    if (Result<std::vector<TokenId>> opening = tokenizer.Encode(params.generation_prompt, false, true); opening.ok()) {
      grammar.opening = std::move(*opening);
    }
  }
  return grammar;
}

}  // namespace

Result<ChatPrompt> ChatFormat::Prompt(const ChatRequest& request) const {
  const bool tools = !request.tools.empty() && request.tool_choice != ToolChoice::kNone;
  try {
    const bool plain = !common_chat_templates_get_caps(impl_->templates.get())["supports_tools"];
    Result<PlainTools> described = plain ? DescribeTools(request) : PlainTools{request.messages, {}, nullptr};
    if (!described.ok()) return described.error();
    common_chat_templates_inputs inputs;
    inputs.messages = common_chat_msgs_parse_oaicompat(common_json::parse(described->messages));
    if (inputs.messages.empty()) {
      return Error{ErrorCode::kInvalidArgument, "a conversation needs at least one message"};
    }
    const bool native = tools && !plain;
    if (native) inputs.tools = common_chat_tools_parse_oaicompat(common_json::parse(request.tools));
    inputs.tool_choice = Converted(request.tool_choice);
    inputs.parallel_tool_calls = request.parallel_tool_calls;
    inputs.force_pure_content = !native;
    inputs.reasoning_format = native ? COMMON_REASONING_FORMAT_DEEPSEEK : COMMON_REASONING_FORMAT_NONE;
    const common_chat_params params = common_chat_templates_apply(impl_->templates.get(), inputs);
    ChatPrompt prompt;
    prompt.text = params.prompt;
    if (!native) {
      prompt.grammar = std::move(described->grammar);
      prompt.reply = std::move(described->reply);
      return prompt;
    }
    prompt.grammar = ConvertedGrammar(params, *impl_->tokenizer);
    prompt.stops = params.additional_stops;
    for (const std::string& text : params.preserved_tokens) {
      const Result<std::vector<TokenId>> shown = impl_->tokenizer->Encode(text, false, true);
      if (shown.ok() && shown->size() == 1) prompt.shown.push_back(shown->front());
    }
    prompt.reply = std::make_shared<TemplateReply>(params);
    return prompt;
  } catch (const std::exception& e) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("the model's chat template refuses the conversation: {}", OneLine(e.what()))};
  }
}

}  // namespace ltri
