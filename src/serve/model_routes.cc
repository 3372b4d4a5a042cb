// /v1/models, /tokenize, /detokenize, /health, /metrics.
#include <fmt/format.h>

#include <algorithm>

#include "base/http_library.h"
#include "serve/routes.h"

namespace ltri {
namespace {

Json Describe(const Service& service) {
  const ModelInfo& info = service.model->info();
  return {{"id", service.options.model_name},
          {"object", "model"},
          {"created", service.created},
          {"owned_by", "ltri"},
          {"meta",
           {{"architecture", info.architecture},
            {"vocabulary", info.vocabulary},
            {"trained_context", info.trained_context},
            {"prompt_tokens", service.options.prompt_tokens},
            {"answer_tokens", service.options.answer_tokens},
            {"method", service.options.session.method},
            {"budget", service.options.session.budget},
            {"window", service.options.session.window}}}};
}

void Tokenize(const Service& service, const Json& body, httplib::Response& response) {
  Fields fields(body);
  const std::string content = fields.Text("content", "");
  const bool begin = fields.Flag("add_special", false);
  const bool control = fields.Flag("parse_special", false);
  const bool pieces = fields.Flag("with_pieces", false);
  if (fields.Find("content") == nullptr) fields.Fail("content", "must be a string");
  if (fields.error().has_value()) return ReplyError(response, *fields.error());
  const Result<std::vector<TokenId>> tokens = service.model->Tokenize(content, begin, control);
  if (!tokens.ok()) return ReplyError(response, ToApiError(tokens.error()));
  Json list = Json::array();
  for (const TokenId token : *tokens) {
    list.push_back(pieces ? Json{{"id", token}, {"piece", service.model->Detokenize({&token, 1})}} : Json(token));
  }
  ReplyJson(response, {{"tokens", std::move(list)}});
}

void Detokenize(const Service& service, const Json& body, httplib::Response& response) {
  Fields fields(body);
  const Json* list = fields.Find("tokens");
  const int64_t vocabulary = service.model->info().vocabulary;
  const bool good = list != nullptr && list->is_array() && std::all_of(list->begin(), list->end(), [&](const Json& t) {
                      return t.is_number_integer() && t >= 0 && t < vocabulary;
                    });
  if (!good) {
    fields.Fail("tokens", fmt::format("must be a list of token ids below {}", vocabulary));
    return ReplyError(response, *fields.error());
  }
  ReplyJson(response, {{"content", service.model->Detokenize(list->get<std::vector<TokenId>>())}});
}

}  // namespace

void AddModelRoutes(httplib::Server& server, Service& service) {
  server.Get("/health", [&service](const httplib::Request&, httplib::Response& response) {
    if (service.stopping) return ReplyError(response, {503, "the server is shutting down"});
    ReplyJson(response, {{"status", "ok"}});
  });
  server.Get("/metrics", [&service](const httplib::Request&, httplib::Response& response) {
    response.set_content(service.metrics.Text(), "text/plain; version=0.0.4; charset=utf-8");
  });
  server.Get("/v1/models", [&service](const httplib::Request&, httplib::Response& response) {
    ReplyJson(response, {{"object", "list"}, {"data", Json::array({Describe(service)})}});
  });
  server.Get("/v1/models/:model", [&service](const httplib::Request& request, httplib::Response& response) {
    const std::string& name = request.path_params.at("model");
    if (name == service.options.model_name) return ReplyJson(response, Describe(service));
    ReplyError(response, {404, fmt::format("there is no model '{}'", name), "model", "model_not_found"});
  });
  const auto post = [&](const char* path, auto handler) {
    server.Post(path, [&service, handler](const httplib::Request& request, httplib::Response& response,
                                          const httplib::ContentReader& reader) {
      if (const std::optional<Json> body = BodyOf(service, request, reader, response)) {
        handler(service, *body, response);
      }
    });
  };
  post("/tokenize", Tokenize);
  post("/detokenize", Detokenize);
}

}  // namespace ltri
