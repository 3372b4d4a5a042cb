#include "text/plain_tools.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

namespace ltri {
namespace {

using Json = nlohmann::ordered_json;

// {"tool_calls": [{"name": ..., "arguments": {...}}]} or {"content": "..."}.
class PlainReply : public ChatReplyFormat {
 public:
  Result<ChatReply> Parse(const std::string& answer) const override {
    const Json json = Json::parse(answer, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) return Error{ErrorCode::kInvalidArgument, "the answer is no JSON object"};
    ChatReply reply;
    if (json.contains("content") && json["content"].is_string()) reply.content = json["content"].get<std::string>();
    for (const Json& call : json.value("tool_calls", Json::array())) {
      reply.tool_calls.push_back({call.value("name", ""), call.value("arguments", Json::object()).dump()});
    }
    return reply;
  }
};

// The schema of one call for each tool. Error: a tool that is no function with a name.
Result<Json> CallSchemas(const Json& tools) {
  Json schemas = Json::array();
  for (const Json& tool : tools) {
    const Json function = tool.is_object() ? tool.value("function", Json()) : Json();
    if (!function.is_object() || !function.contains("name") || !function["name"].is_string()) {
      return Error{ErrorCode::kInvalidArgument, fmt::format("tools[{}] has no function with a name", schemas.size())};
    }
    Json parameters = function.value("parameters", Json::object());
    if (!parameters.is_object() || parameters.empty())
      parameters = {{"type", "object"}, {"properties", Json::object()}};
    schemas.push_back({{"type", "object"},
                       {"properties", {{"name", {{"const", function["name"]}}}, {"arguments", std::move(parameters)}}},
                       {"required", Json::array({"name", "arguments"})},
                       {"additionalProperties", false}});
  }
  return schemas;
}

Json AnswerSchema(const Json& calls, const ChatRequest& request) {
  Json list = {{"type", "array"}, {"items", {{"anyOf", calls}}}, {"minItems", 1}};
  if (!request.parallel_tool_calls) list["maxItems"] = 1;
  Json call = {{"type", "object"}, {"properties", {{"tool_calls", list}}}, {"required", Json::array({"tool_calls"})}};
  if (request.tool_choice == ToolChoice::kRequired) return call;
  const Json text = {
      {"type", "object"}, {"properties", {{"content", {{"type", "string"}}}}}, {"required", Json::array({"content"})}};
  return {{"anyOf", Json::array({call, text})}};
}

std::string Instructions(const Json& tools, ToolChoice choice) {
  std::string text = "You can call these functions, each described by a JSON schema of its arguments:\n";
  for (const Json& tool : tools) text += tool["function"].dump() + "\n";
  text += "To call one, answer with {\"tool_calls\": [{\"name\": its name, \"arguments\": an object}]}.";
  if (choice == ToolChoice::kAuto) text += " To answer in words, answer with {\"content\": \"your words\"}.";
  return text;
}

// Calls and their results as plain messages, which every template can write.
Json WithoutToolRoles(const Json& messages) {
  Json plain = Json::array();
  for (const Json& message : messages) {
    Json copy = message;
    if (message.is_object() && message.contains("tool_calls") && message["tool_calls"].is_array()) {
      Json calls = Json::array();
      for (const Json& call : message["tool_calls"]) {
        const Json function = call.is_object() ? call.value("function", Json::object()) : Json::object();
        const std::string arguments = function.value("arguments", "{}");
        const Json parsed = Json::parse(arguments, nullptr, false);
        calls.push_back(
            {{"name", function.value("name", "")}, {"arguments", parsed.is_discarded() ? Json(arguments) : parsed}});
      }
      copy = {{"role", "assistant"}, {"content", Json{{"tool_calls", calls}}.dump()}};
    } else if (message.is_object() && message.value("role", "") == "tool") {
      copy = {{"role", "user"}, {"content", message.value("content", Json(""))}};
    }
    plain.push_back(std::move(copy));
  }
  return plain;
}

}  // namespace

Result<PlainTools> DescribeTools(const ChatRequest& request) {
  try {
    Json messages = WithoutToolRoles(Json::parse(request.messages));
    if (request.tools.empty() || request.tool_choice == ToolChoice::kNone)
      return PlainTools{messages.dump(), {}, nullptr};
    const Json tools = Json::parse(request.tools);
    const Result<Json> calls = CallSchemas(tools);
    if (!calls.ok()) return calls.error();
    Result<Grammar> grammar = GrammarOfSchema(AnswerSchema(*calls, request).dump());
    if (!grammar.ok()) return grammar.error();
    const std::string instructions = Instructions(tools, request.tool_choice);
    const bool has_system = !messages.empty() && messages[0].is_object() && messages[0].value("role", "") == "system" &&
                            messages[0]["content"].is_string();
    if (has_system) {
      messages[0]["content"] = messages[0]["content"].get<std::string>() + "\n\n" + instructions;
    } else {
      messages.insert(messages.begin(), Json{{"role", "system"}, {"content", instructions}});
    }
    return PlainTools{messages.dump(), std::move(*grammar), std::make_shared<PlainReply>()};
  } catch (const std::exception& e) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("messages or tools are not as they should be: {}", e.what())};
  }
}

}  // namespace ltri
