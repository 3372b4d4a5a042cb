// /v1/completions: a text that goes on.
#include <fmt/format.h>

#include <algorithm>

#include "serve/generation_input.h"

namespace ltri {
namespace {

bool IsTokenList(const Json& json) {
  return json.is_array() && !json.empty() && std::all_of(json.begin(), json.end(), [](const Json& token) {
           return token.is_number_integer() && token >= 0 && token <= INT32_MAX;
         });
}

void ReadPrompt(Fields& fields, Model& model, GenerateRequest* request) {
  const Json* prompt = fields.Find("prompt");
  if (prompt != nullptr && prompt->is_array() && prompt->size() == 1 && !IsTokenList(*prompt)) prompt = &prompt->at(0);
  if (prompt != nullptr && IsTokenList(*prompt)) {
    request->prompt = prompt->get<std::vector<TokenId>>();
    const int64_t vocabulary = model.info().vocabulary;
    const auto known = [&](TokenId token) { return token < vocabulary; };
    if (!std::all_of(request->prompt.begin(), request->prompt.end(), known)) {
      fields.Fail("prompt", fmt::format("has a token outside the vocabulary of {}", vocabulary));
    }
    return;
  }
  if (prompt == nullptr || !prompt->is_string()) {
    return fields.Fail("prompt", "must be one string, or one list of token ids");
  }
  Result<std::vector<TokenId>> tokens =
      model.Tokenize(prompt->get_ref<const std::string&>(), /*begin=*/true, /*control=*/false);
  if (!tokens.ok()) return fields.Fail("prompt", "cannot be used: " + tokens.error().message);
  request->prompt = std::move(*tokens);
  if (request->prompt.empty()) fields.Fail("prompt", "must not be empty");
}

}  // namespace

std::variant<GenerationInput, ApiError> ReadCompletion(const Json& body, Model& model,
                                                       const HttpServerOptions& options) {
  constexpr int64_t kMostLogprobs = 20;
  GenerationInput input;
  Fields fields(body);
  ReadGeneration(fields, model, options, &input);
  if (const Json* logprobs = fields.Find("logprobs"); logprobs != nullptr && *logprobs != false) {
    input.request.logprobs = input.reply.logprobs = true;
    input.request.top_logprobs = static_cast<int>(fields.Integer("logprobs", 0, 0, kMostLogprobs));
  }
  for (const char* name : {"echo", "suffix", "best_of"}) {
    const Json* value = fields.Find(name);
    const bool harmless = value == nullptr || *value == false || *value == 1 || *value == "";
    if (!harmless) fields.Fail(name, "is not supported");
  }
  ReadPrompt(fields, model, &input.request);
  if (fields.error().has_value()) return *fields.error();
  return input;
}

}  // namespace ltri
