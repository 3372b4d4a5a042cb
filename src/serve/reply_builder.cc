#include "serve/reply_builder.h"

#include <chrono>
#include <random>
#include <utility>

namespace ltri {
namespace {

Json Reason(AnswerEnd why) { return why == AnswerEnd::kLength ? "length" : "stop"; }

Json Bytes(const std::string& text) {
  Json bytes = Json::array();
  for (const char c : text) bytes.push_back(static_cast<uint8_t>(c));
  return bytes;
}

Json Chance(const TokenChance& chance) {
  return {{"token", chance.bytes}, {"logprob", chance.logprob}, {"bytes", Bytes(chance.bytes)}};
}

Json ChatLogprobs(const std::vector<TokenLogprob>& tokens) {
  Json content = Json::array();
  for (const TokenLogprob& token : tokens) {
    Json entry = Chance(token.chosen);
    entry["top_logprobs"] = Json::array();
    for (const TokenChance& chance : token.top) entry["top_logprobs"].push_back(Chance(chance));
    content.push_back(std::move(entry));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

Json CompletionLogprobs(const std::vector<TokenLogprob>& tokens) {
  Json result = {{"tokens", Json::array()},
                 {"token_logprobs", Json::array()},
                 {"top_logprobs", Json::array()},
                 {"text_offset", Json::array()}};
  for (const TokenLogprob& token : tokens) {
    result["text_offset"].push_back(token.begin);
    Json top = Json::object();
    for (const TokenChance& chance : token.top) top[chance.bytes] = chance.logprob;
    result["tokens"].push_back(token.chosen.bytes);
    result["token_logprobs"].push_back(token.chosen.logprob);
    result["top_logprobs"].push_back(std::move(top));
  }
  return result;
}

Json UsageOf(const RequestEnded& ended) {
  return {{"prompt_tokens", ended.prompt_tokens},
          {"completion_tokens", ended.answer_tokens},
          {"total_tokens", ended.prompt_tokens + ended.answer_tokens},
          {"prompt_tokens_details", {{"cached_tokens", ended.cached_tokens}}}};
}

Json TimesOf(const RequestEnded& ended) {
  return {{"queue_seconds", ended.queue_seconds},
          {"first_token_seconds", ended.prompt_seconds},
          {"answer_seconds", ended.answer_seconds}};
}

Json ToolCalls(const std::vector<ToolCall>& calls, bool indexed) {
  Json list = Json::array();
  for (const ToolCall& call : calls) {
    Json entry = Json::object();
    if (indexed) entry["index"] = list.size();
    entry["id"] = RandomId("call_");
    entry["type"] = "function";
    entry["function"] = {{"name", call.name}, {"arguments", call.arguments}};
    list.push_back(std::move(entry));
  }
  return list;
}

Json CitationList(const std::vector<Citation>& citations) {
  Json list = Json::array();
  for (const Citation& citation : citations) {
    list.push_back({{"document", citation.document},
                    {"begin", citation.byte_begin},
                    {"end", citation.byte_end},
                    {"text", citation.text},
                    {"share", citation.share}});
  }
  return list;
}

Json MapJson(const MemoryMap& map) {
  Json layers = Json::array();
  for (const std::vector<TokenRange>& ranges : map.layers) {
    Json layer = Json::array();
    for (const TokenRange& range : ranges) layer.push_back({range.begin, range.end});
    layers.push_back(std::move(layer));
  }
  Json votes = Json::array();
  for (const RecallShare& vote : map.votes) {
    votes.push_back({{"begin", vote.begin}, {"end", vote.end}, {"share", vote.share}});
  }
  return {{"tokens", map.tokens}, {"layers", std::move(layers)}, {"votes", std::move(votes)}};
}

// What cannot be read, for instance because it was cut off, is text.
ChatReply ReadAnswer(const ChatReplyFormat* format, const std::string& text) {
  if (format != nullptr) {
    if (Result<ChatReply> reply = format->Parse(text); reply.ok()) return std::move(*reply);
  }
  return {text, "", {}};
}

// The message of an answer.
Json Message(const ChatReply& reply, bool indexed) {
  Json message = {{"role", "assistant"}, {"content", reply.content}};
  if (!reply.reasoning.empty()) message["reasoning_content"] = reply.reasoning;
  if (!reply.tool_calls.empty()) {
    if (reply.content.empty()) message["content"] = nullptr;
    message["tool_calls"] = ToolCalls(reply.tool_calls, indexed);
  }
  return message;
}

}  // namespace

std::string RandomId(const std::string& prefix) {
  constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  constexpr size_t kLength = 24;
  thread_local std::mt19937_64 random{std::random_device{}()};
  std::string id = prefix;
  while (id.size() < prefix.size() + kLength) id += kLetters[random() % (sizeof(kLetters) - 1)];
  return id;
}

ReplyBuilder::ReplyBuilder(ReplyKind kind, std::string model, const ReplyChoice& choice)
    : kind_(kind),
      id_(RandomId(kind == ReplyKind::kChat ? "chatcmpl-" : "cmpl-")),
      created_(std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
                   .count()),
      model_(std::move(model)),
      reply_(choice) {}

Json ReplyBuilder::Event(Json choices) const {
  return {{"id", id_},
          {"object", kind_ == ReplyKind::kChat ? "chat.completion.chunk" : "text_completion"},
          {"created", created_},
          {"model", model_},
          {"choices", std::move(choices)}};
}

// part: "delta", "message" or "text".
Json ReplyBuilder::Choice(int choice, const char* part, Json content, Json reason) const {
  Json json = {{"index", choice}};
  json[part] = std::move(content);
  json["logprobs"] = nullptr;
  json["finish_reason"] = std::move(reason);
  return json;
}

Json ReplyBuilder::Logprobs(const std::vector<TokenLogprob>& tokens) const {
  if (!reply_.logprobs) return nullptr;
  return kind_ == ReplyKind::kChat ? ChatLogprobs(tokens) : CompletionLogprobs(tokens);
}

Json ReplyBuilder::Opening(int choice) const {
  if (kind_ == ReplyKind::kCompletion) return nullptr;
  return Event(Json::array({Choice(choice, "delta", {{"role", "assistant"}, {"content", ""}}, nullptr)}));
}

Json ReplyBuilder::Text(const AnswerText& text) const {
  Json choice = kind_ == ReplyKind::kChat ? Choice(text.choice, "delta", {{"content", text.text}}, nullptr)
                                          : Choice(text.choice, "text", text.text, nullptr);
  choice["logprobs"] = Logprobs(text.logprobs);
  return Event(Json::array({std::move(choice)}));
}

Json ReplyBuilder::Ended(const AnswerEnded& ended) const {
  const bool chat = kind_ == ReplyKind::kChat;
  return Event(Json::array(
      {Choice(ended.choice, chat ? "delta" : "text", chat ? Json::object() : Json(""), Reason(ended.why))}));
}

std::vector<Json> ReplyBuilder::Read(int choice, const WholeAnswer& answer) const {
  const ChatReply reply = ReadAnswer(reply_.format.get(), answer.text);
  Json delta = Message(reply, /*indexed=*/true);
  delta.erase("role");
  Json said = Choice(choice, "delta", std::move(delta), nullptr);
  said["logprobs"] = Logprobs(answer.logprobs);
  Json reason = reply.tool_calls.empty() ? Reason(answer.why) : Json("tool_calls");
  return {Event(Json::array({std::move(said)})),
          Event(Json::array({Choice(choice, "delta", Json::object(), std::move(reason))}))};
}

Json ReplyBuilder::Usage(const RequestEnded& ended) const {
  Json event = Event(Json::array());
  event["usage"] = UsageOf(ended);
  event["ltri"] = TimesOf(ended);
  return event;
}

void ReplyBuilder::AddSources(Json* json) const {
  if (reply_.citations != nullptr) (*json)["citations"] = CitationList(*reply_.citations);
  if (reply_.map != nullptr) (*json)["memory_map"] = MapJson(*reply_.map);
}

Json ReplyBuilder::Sources() const {
  if (reply_.citations == nullptr && reply_.map == nullptr) return nullptr;
  Json event = Event(Json::array());
  AddSources(&event);
  return event;
}

Json ReplyBuilder::Progress(const PromptProgress& progress) const {
  const auto fresh = static_cast<double>(progress.read - progress.cached);
  const double rate = progress.seconds > 0 ? fresh / progress.seconds : 0;
  const auto left = static_cast<double>(progress.total - progress.read);
  Json event = Event(Json::array());
  event["prompt_progress"] = {{"total", progress.total},
                              {"cache", progress.cached},
                              {"processed", progress.read},
                              {"time_ms", static_cast<int64_t>(progress.seconds * 1000)}};
  event["ltri"] = {{"tokens_per_second", rate}, {"seconds_left", rate > 0 ? Json(left / rate) : Json()}};
  return event;
}

Json ReplyBuilder::Whole(const std::vector<WholeAnswer>& answers, const RequestEnded& ended) const {
  Json choices = Json::array();
  for (size_t i = 0; i < answers.size(); ++i) {
    const WholeAnswer& answer = answers[i];
    const ChatReply reply = ReadAnswer(reply_.format.get(), answer.text);
    Json reason = reply.tool_calls.empty() ? Reason(answer.why) : Json("tool_calls");
    const bool chat = kind_ == ReplyKind::kChat;
    choices.push_back(Choice(static_cast<int>(i), chat ? "message" : "text",
                             chat ? Message(reply, /*indexed=*/false) : Json(answer.text), std::move(reason)));
    choices.back()["logprobs"] = Logprobs(answer.logprobs);
  }
  Json whole = Event(std::move(choices));
  if (kind_ == ReplyKind::kChat) whole["object"] = "chat.completion";
  whole["usage"] = UsageOf(ended);
  AddSources(&whole);
  whole["ltri"] = TimesOf(ended);
  return whole;
}

}  // namespace ltri
