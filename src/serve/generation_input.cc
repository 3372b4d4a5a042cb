#include "serve/generation_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <random>

#include "attention/registry.h"
#include "engine/engine.h"
#include "engine/sampler.h"

namespace ltri {
namespace {

constexpr int kMostChoices = 8;
constexpr size_t kMostStops = 16;
constexpr size_t kMostStopBytes = 256;
constexpr size_t kMostBiases = 1024;

void ReadStops(Fields& fields, GenerateRequest* request) {
  const Json* stop = fields.Find("stop");
  if (stop == nullptr) return;
  const Json list = stop->is_array() ? *stop : Json::array({*stop});
  const bool good = list.size() <= kMostStops && std::all_of(list.begin(), list.end(), [](const Json& text) {
                      return text.is_string() && !text.get_ref<const std::string&>().empty() &&
                             text.get_ref<const std::string&>().size() <= kMostStopBytes;
                    });
  if (!good) {
    return fields.Fail(
        "stop", fmt::format("must be a string or up to {} strings, of 1 to {} bytes each", kMostStops, kMostStopBytes));
  }
  for (const Json& text : list) request->stops.push_back(text.get<std::string>());
}

void ReadBiases(Fields& fields, int64_t vocabulary, SamplingOptions* sampling) {
  const Json* biases = fields.Find("logit_bias");
  if (biases == nullptr) return;
  if (!biases->is_object() || biases->size() > kMostBiases) {
    return fields.Fail("logit_bias", fmt::format("must be an object of at most {} token ids", kMostBiases));
  }
  for (const auto& [key, value] : biases->items()) {
    TokenId token = -1;
    const auto [end, failed] = std::from_chars(key.data(), key.data() + key.size(), token);
    const bool is_token = failed == std::errc() && end == key.data() + key.size() && token >= 0 && token < vocabulary;
    if (!is_token || !value.is_number() || std::abs(value.get<double>()) > 100) {
      return fields.Fail("logit_bias",
                         fmt::format("has '{}', which is no token id with a number from -100 to 100", key));
    }
    sampling->logit_bias.emplace_back(token, value.get<float>());
  }
}

void ReadSampling(Fields& fields, int64_t vocabulary, SamplingOptions* sampling) {
  const auto number = [&](const char* name, double standard, double low, double high) {
    return static_cast<float>(fields.Number(name, standard, low, high));
  };
  sampling->temperature = number("temperature", 1, 0, 2);
  sampling->top_p = std::max(number("top_p", 1, 0, 1), 1e-6F);
  sampling->top_k = static_cast<int32_t>(fields.Integer("top_k", 0, 0, vocabulary));
  sampling->min_p = number("min_p", 0, 0, 1);
  sampling->frequency_penalty = number("frequency_penalty", 0, -2, 2);
  sampling->presence_penalty = number("presence_penalty", 0, -2, 2);
  sampling->repeat_penalty = number("repeat_penalty", 1, 0.01, 10);
  sampling->seed = fields.Find("seed") == nullptr
                       ? std::random_device{}()
                       : static_cast<uint32_t>(fields.Integer("seed", 0, INT64_MIN, INT64_MAX));
  ReadBiases(fields, vocabulary, sampling);
}

// The extension "ltri": how the text is remembered, and whether the reply tells of it.
void ReadMemory(Fields& fields, const SessionOptions& standard, GenerationInput* input) {
  SessionOptions* session = &input->request.session;
  *session = standard;
  const Json* json = fields.Find("ltri");
  if (json == nullptr) return;
  if (!json->is_object()) return fields.Fail("ltri", "must be an object");
  Fields own(*json, "ltri.");
  session->method = own.Text("method", standard.method);
  const std::vector<std::string> names = MethodNames();
  if (std::find(names.begin(), names.end(), session->method) == names.end()) {
    own.Fail("method", fmt::format("must be one of {}", fmt::join(names, ", ")));
  }
  session->budget = own.Integer("budget", standard.budget, 0, 65536);
  session->window = own.Integer("window", standard.window, 2 * standard.max_span, 65536);
  if (own.Flag("map", false)) {
    input->reply.map = std::make_shared<MemoryMap>();
    input->request.on_end = [map = input->reply.map](const Session::Impl& ended) { *map = MapOf(ended); };
  }
  if (own.error().has_value()) fields.Fail("ltri", "cannot be used: " + own.error()->message);
}

}  // namespace

void ReadGeneration(Fields& fields, const Model& model, const HttpServerOptions& options, GenerationInput* input) {
  GenerateRequest& request = input->request;
  const int64_t vocabulary = model.info().vocabulary;
  const int64_t standard = std::min(options.default_answer_tokens, options.answer_tokens);
  const char* limit = fields.Find("max_completion_tokens") != nullptr ? "max_completion_tokens" : "max_tokens";
  request.max_tokens = fields.Integer(limit, standard, 1, options.answer_tokens);
  request.choices = static_cast<int>(fields.Integer("n", 1, 1, kMostChoices));
  ReadSampling(fields, vocabulary, &request.sampling);
  // OpenAI's penalties count all of an answer.
  request.sampling.repeat_last_n = static_cast<int32_t>(request.max_tokens);
  ReadStops(fields, &request);
  ReadMemory(fields, options.session, input);
  request.ignore_end = fields.Flag("ignore_eos", false);
  request.reuse = fields.Flag("cache_prompt", true);
  request.priority = static_cast<int>(fields.Integer("priority", 0, -10, 10));
  input->reply.choices = request.choices;
  input->reply.stream = fields.Flag("stream", false);
  input->reply.progress = fields.Flag("return_progress", false);
  if (const Json* stream_options = fields.Find("stream_options"); stream_options != nullptr) {
    if (!stream_options->is_object()) return fields.Fail("stream_options", "must be an object");
    Fields own(*stream_options, "stream_options.");
    input->reply.usage = own.Flag("include_usage", false);
    if (own.error().has_value()) fields.Fail("stream_options", "cannot be used: " + own.error()->message);
  }
}

void CheckGrammar(Model& model, Fields& fields, const GenerateRequest& request, const std::string& field) {
  if (request.grammar == nullptr || fields.error().has_value()) return;
  Result<Sampler> sampler = Sampler::Create({}, model.info().vocabulary);
  if (!sampler.ok()) return fields.Fail(field, sampler.error().message);
  const Status status = sampler->Constrain(*request.grammar, model.engine().shared_tokenizer());
  if (!status.ok()) fields.Fail(field, "cannot be used: " + status.error().message);
}

}  // namespace ltri
