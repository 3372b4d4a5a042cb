// Any bytes as the body of a request: an error of OpenAI's form or a prompt of known tokens, never a crash. What parses
// as JSON goes through the chat template, tools and schemas included.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <variant>

#include "serve/generation_input.h"
#include "support/chat_model.h"

namespace {

void CheckInput(const std::variant<ltri::GenerationInput, ltri::ApiError>& read, const ltri::Model& model) {
  if (const auto* error = std::get_if<ltri::ApiError>(&read)) {
    if (error->status < 400 || error->status >= 500 || error->message.empty()) std::abort();
    (void)ltri::ErrorBody(*error);
    return;
  }
  const auto& input = std::get<ltri::GenerationInput>(read);
  if (input.request.prompt.empty() && input.documents.empty()) std::abort();
  for (const ltri::TokenId token : input.request.prompt) {
    if (token < 0 || token >= model.info().vocabulary) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::shared_ptr<ltri::Model> model = ltri::testing::ChatModel();
  if (size == 0) return 0;
  const auto body = ltri::ParseObject({reinterpret_cast<const char*>(data) + 1, size - 1});
  if (!body.ok()) return 0;
  const ltri::HttpServerOptions options;
  CheckInput((data[0] & 1) == 0 ? ltri::ReadChat(*body, *model, options) : ltri::ReadCompletion(*body, *model, options),
             *model);
  return 0;
}
