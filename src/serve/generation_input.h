// What /v1/completions and /v1/chat/completions are told alike.
#ifndef LTRI_SERVE_GENERATION_INPUT_H_
#define LTRI_SERVE_GENERATION_INPUT_H_

#include <string>
#include <variant>
#include <vector>

#include "ltri/model.h"
#include "serve/generate_request.h"
#include "serve/http_server_options.h"
#include "serve/json_fields.h"
#include "serve/reply_choice.h"

namespace ltri {

struct GenerationInput {
  GenerateRequest request;
  ReplyChoice reply;
  std::vector<std::string> documents;  // names, to answer from
  std::string question;                // of them: the last message
};

// The fields of both; the prompt and what is special of either is left. Errors are in fields.error().
void ReadGeneration(Fields& fields, const Model& model, const HttpServerOptions& options, GenerationInput* input);

// The body of a request for an answer, all of it.
std::variant<GenerationInput, ApiError> ReadCompletion(const Json& body, Model& model,
                                                       const HttpServerOptions& options);
std::variant<GenerationInput, ApiError> ReadChat(const Json& body, Model& model, const HttpServerOptions& options);

// A schema or grammar that cannot be used is to be refused before the request is queued.
void CheckGrammar(Model& model, Fields& fields, const GenerateRequest& request, const std::string& field);

}  // namespace ltri

#endif  // LTRI_SERVE_GENERATION_INPUT_H_
