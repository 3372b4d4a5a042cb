#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "eval/run/http_client.h"
#include "eval/run/target.h"

namespace ltri {
namespace {

using Json = nlohmann::ordered_json;

class ServerTarget : public Target {
 public:
  ServerTarget(ServerOptions options, HttpClient client) : options_(std::move(options)), client_(std::move(client)) {}

  const std::string& name() const override { return options_.url; }

  Json Settings() const override {
    return {{"server", options_.url}, {"model", options_.model}, {"chat", options_.chat}};
  }

  Result<TrialAnswer> Ask(const Sample& sample, const ProgressCallback& progress) override {
    const bool chat = options_.chat && !sample.plain;
    Json body = {{"max_tokens", sample.max_tokens}, {"temperature", 0}, {"stream", false}};
    if (!options_.model.empty()) body["model"] = options_.model;
    if (chat) {
      body["messages"] = {{{"role", "user"}, {"content", sample.prompt}}};
      // Servers that can, go on from there; the others answer from the start.
      if (!sample.answer_prefix.empty()) {
        body["messages"].push_back({{"role", "assistant"}, {"content", sample.answer_prefix}});
      }
    } else {
      body["prompt"] = sample.prompt + sample.answer_prefix;
    }
    const auto start = std::chrono::steady_clock::now();
    const Result<Json> response = client_.Post(chat ? "/v1/chat/completions" : "/v1/completions", body);
    if (!response.ok()) return response.error();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    if (progress && !progress({1, 1, seconds.count()})) return Error{ErrorCode::kCancelled, "stopped"};
    return Read(*response, chat, seconds.count());
  }

 private:
  // A server does not say how long it read; the whole time counts as reading.
  Result<TrialAnswer> Read(const Json& response, bool chat, double seconds) const {
    TrialAnswer answer;
    try {
      const Json& choice = response.at("choices").at(0);
      const Json& text = chat ? choice.at("message").at("content") : choice.at("text");
      answer.text = text.is_null() ? "" : text.get<std::string>();
      const Json usage = response.value("usage", Json::object());
      answer.prompt_tokens = usage.value("prompt_tokens", int64_t{0});
      answer.answer_tokens = usage.value("completion_tokens", int64_t{0});
    } catch (const nlohmann::json::exception& wrong) {
      return Error{ErrorCode::kCorrupt, fmt::format("{}: not an answer as OpenAI's: {}", options_.url, wrong.what())};
    }
    answer.prefill_seconds = seconds;
    return answer;
  }

  ServerOptions options_;
  HttpClient client_;
};

}  // namespace

Result<std::unique_ptr<Target>> MakeServerTarget(ServerOptions options) {
  Result<HttpClient> client = HttpClient::Create(options.url, options.key, options.timeout);
  if (!client.ok()) return client.error();
  return std::unique_ptr<Target>(std::make_unique<ServerTarget>(std::move(options), std::move(*client)));
}

}  // namespace ltri
