// /v1/chat/completions: a conversation that the model answers.
#include <fmt/format.h>

#include <algorithm>

#include "engine/engine.h"
#include "serve/chat_tokens.h"
#include "serve/generation_input.h"

namespace ltri {
namespace {

constexpr int64_t kMostLogprobs = 20;
constexpr size_t kMostTools = 128;
constexpr size_t kMostDocuments = 32;

// Checks what templates take for granted.
void CheckMessages(Fields& fields) {
  const Json* messages = fields.Find("messages");
  if (messages == nullptr || !messages->is_array() || messages->empty()) {
    return fields.Fail("messages", "must be a list of at least one message");
  }
  for (size_t i = 0; i < messages->size(); ++i) {
    const Json& message = (*messages)[i];
    const std::string name = fmt::format("messages[{}]", i);
    if (!message.is_object()) return fields.Fail(name, "must be an object");
    const Json role = message.value("role", Json());
    if (role != "system" && role != "developer" && role != "user" && role != "assistant" && role != "tool") {
      return fields.Fail(name + ".role", "must be system, developer, user, assistant or tool");
    }
    const Json content = message.value("content", Json());
    const bool has_calls = role == "assistant" && message.contains("tool_calls");
    const bool is_parts =
        content.is_array() && std::all_of(content.begin(), content.end(), [](const Json& part) {
          return part.is_object() && part.value("type", Json()) == "text" && part.value("text", Json()).is_string();
        });
    if (!content.is_string() && !is_parts && !(content.is_null() && has_calls)) {
      return fields.Fail(name + ".content", "must be a string or a list of text parts");
    }
  }
}

void ReadToolChoice(Fields& fields, Json* tools, ChatRequest* chat) {
  const Json* choice = fields.Find("tool_choice");
  if (choice == nullptr || *choice == "auto") return;
  if (*choice == "none") {
    chat->tool_choice = ToolChoice::kNone;
    return;
  }
  chat->tool_choice = ToolChoice::kRequired;
  if (*choice == "required") return;
  const Json function = choice->is_object() ? choice->value("function", Json()) : Json();
  const Json name = function.is_object() ? function.value("name", Json()) : Json();
  Json chosen = Json::array();
  for (const Json& tool : *tools) {
    if (name.is_string() && tool["function"]["name"] == name) chosen.push_back(tool);
  }
  if (chosen.empty()) return fields.Fail("tool_choice", "must be none, auto, required, or name one of the tools");
  *tools = std::move(chosen);
}

void ReadTools(Fields& fields, ChatRequest* chat) {
  const Json* given = fields.Find("tools");
  if (given == nullptr) return;
  if (!given->is_array() || given->size() > kMostTools) {
    return fields.Fail("tools", fmt::format("must be a list of at most {} tools", kMostTools));
  }
  Json tools = *given;
  for (size_t i = 0; i < tools.size(); ++i) {
    const Json function = tools[i].is_object() ? tools[i].value("function", Json()) : Json();
    if (!function.is_object() || !function.value("name", Json()).is_string()) {
      return fields.Fail(fmt::format("tools[{}]", i), "must have a function with a name");
    }
    if (!function.value("parameters", Json::object()).is_object()) {
      return fields.Fail(fmt::format("tools[{}].function.parameters", i), "must be a JSON schema");
    }
  }
  ReadToolChoice(fields, &tools, chat);
  chat->parallel_tool_calls = fields.Flag("parallel_tool_calls", false);
  if (!tools.empty()) chat->tools = Dump(tools);
}

// response_format as a grammar.
void ReadFormat(Fields& fields, GenerateRequest* request) {
  const Json* format = fields.Find("response_format");
  if (format == nullptr) return;
  const Json type = format->is_object() ? format->value("type", Json()) : Json();
  Json schema;
  if (type == "json_object") {
    schema = format->value("schema", Json{{"type", "object"}});
  } else if (type == "json_schema") {
    const Json wrapper = format->value("json_schema", Json());
    schema = wrapper.is_object() ? wrapper.value("schema", Json()) : Json();
    if (!schema.is_object()) return fields.Fail("response_format.json_schema", "must have a schema");
  } else if (type != "text") {
    return fields.Fail("response_format.type", "must be text, json_object or json_schema");
  } else {
    return;
  }
  Result<Grammar> grammar = GrammarOfSchema(Dump(schema));
  if (!grammar.ok()) return fields.Fail("response_format", "cannot be used: " + grammar.error().message);
  request->grammar = std::make_shared<const Grammar>(std::move(*grammar));
}

std::string ContentText(const Json& message) {
  const Json content = message.value("content", Json());
  if (content.is_string()) return content.get<std::string>();
  std::string text;
  for (const Json& part : content) text += part["text"].get<std::string>();
  return text;
}

// Documents are asked one question: the last message, after what was said before.
void ReadDocuments(Fields& fields, GenerationInput* input) {
  const Json* documents = fields.Find("documents");
  if (documents == nullptr) return;
  const auto is_name = [](const Json& name) { return name.is_string(); };
  if (!documents->is_array() || documents->size() > kMostDocuments ||
      !std::all_of(documents->begin(), documents->end(), is_name)) {
    return fields.Fail("documents", fmt::format("must be a list of at most {} names", kMostDocuments));
  }
  input->documents = documents->get<std::vector<std::string>>();
  const Json& messages = *fields.Find("messages");
  if (messages.back()["role"] != "user") return fields.Fail("messages", "must end with a user's question");
  for (const Json& message : messages) {
    const std::string text = ContentText(message);
    const bool last = &message == &messages.back();
    input->question += last ? text : fmt::format("{}: {}\n\n", message["role"].get<std::string>(), text);
  }
}

void ReadConversation(Fields& fields, Model& model, GenerationInput* input) {
  ChatRequest chat;
  ReadTools(fields, &chat);
  if (fields.error().has_value()) return;
  const bool has_tools = !chat.tools.empty() && chat.tool_choice != ToolChoice::kNone;
  if (has_tools && input->request.grammar != nullptr) {
    return fields.Fail("response_format", "cannot be combined with tools");
  }
  ReadDocuments(fields, input);
  if (!input->documents.empty() && has_tools) return fields.Fail("documents", "cannot be combined with tools");
  if (fields.error().has_value() || !input->documents.empty()) return;
  const Result<std::shared_ptr<ChatFormat>> format = model.engine().chat_format();
  if (!format.ok()) return fields.Fail("messages", "cannot be used: " + format.error().message);
  Result<ChatTokens> tokens = TokenizeChat(model, **format, *fields.Find("messages"), chat);
  if (!tokens.ok()) return fields.Fail("messages", "cannot be used: " + tokens.error().message);
  GenerateRequest& request = input->request;
  request.prompt = std::move(tokens->tokens);
  request.shown = std::move(tokens->prompt.shown);
  request.stops.insert(request.stops.end(), tokens->prompt.stops.begin(), tokens->prompt.stops.end());
  if (!tokens->prompt.grammar.rules.empty()) {
    request.grammar = std::make_shared<const Grammar>(std::move(tokens->prompt.grammar));
  }
  input->reply.format = std::move(tokens->prompt.reply);
}

}  // namespace

std::variant<GenerationInput, ApiError> ReadChat(const Json& body, Model& model, const HttpServerOptions& options) {
  GenerationInput input;
  input.reply.chat = true;
  Fields fields(body);
  ReadGeneration(fields, model, options, &input);
  input.request.logprobs = input.reply.logprobs = fields.Flag("logprobs", false);
  input.request.top_logprobs = static_cast<int>(fields.Integer("top_logprobs", 0, 0, kMostLogprobs));
  if (input.request.top_logprobs > 0 && !input.request.logprobs) fields.Fail("top_logprobs", "needs 'logprobs': true");
  CheckMessages(fields);
  ReadFormat(fields, &input.request);
  if (!fields.error().has_value()) ReadConversation(fields, model, &input);
  CheckGrammar(model, fields, input.request, fields.Find("tools") != nullptr ? "tools" : "response_format");
  if (fields.error().has_value()) return *fields.error();
  return input;
}

}  // namespace ltri
