// The routes of the server, one function for each group.
#ifndef LTRI_SERVE_ROUTES_H_
#define LTRI_SERVE_ROUTES_H_

#include <optional>
#include <string_view>

#include "serve/json_fields.h"
#include "serve/service.h"

namespace httplib {
class ContentReader;
class Server;
struct Request;
struct Response;
}  // namespace httplib

namespace ltri {

// service lives as long as server.
void AddAnswerRoutes(httplib::Server& server, Service& service);  // completions, chat
void AddDocumentRoutes(httplib::Server& server, Service& service);
void AddModelRoutes(httplib::Server& server, Service& service);  // models, tokens, health, metrics

void AddPageRoutes(httplib::Server& server);  // the web page

// Whether its body is of this type, parameters aside.
bool IsOfType(const httplib::Request& request, std::string_view type);

void ReplyJson(httplib::Response& response, const Json& json);
void ReplyError(httplib::Response& response, const ApiError& error);

// The request's body as JSON; nothing, and the reply is set, when it cannot be used.
std::optional<Json> BodyOf(const Service& service, const httplib::Request& request,
                           const httplib::ContentReader& reader, httplib::Response& response);

}  // namespace ltri

#endif  // LTRI_SERVE_ROUTES_H_
