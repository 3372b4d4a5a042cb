// /v1/completions and /v1/chat/completions.
#include <fmt/format.h>

#include <chrono>
#include <iterator>
#include <utility>

#include "base/http_library.h"
#include "serve/answer_stream.h"
#include "serve/generation_input.h"
#include "serve/routes.h"

namespace ltri {
namespace {

constexpr std::chrono::milliseconds kLook{100};  // how often a waiting request looks whether its client is there

// Collects all of the reply. Nothing when the client has left.
void ReplyWhole(const ReplyBuilder& builder, const std::shared_ptr<Ticket>& ticket, const httplib::Request& request,
                httplib::Response& response) {
  std::vector<WholeAnswer> answers(static_cast<size_t>(builder.choice().choices));
  for (;;) {
    std::optional<GenerateEvent> event = ticket->Wait(kLook);
    if (!event.has_value()) {
      if (!request.is_connection_closed()) continue;
      ticket->Cancel();
      response.status = 499;  // as other servers log it; nobody reads it
      return;
    }
    if (auto* text = std::get_if<AnswerText>(&*event)) {
      WholeAnswer& answer = answers[static_cast<size_t>(text->choice)];
      answer.text += text->text;
      std::move(text->logprobs.begin(), text->logprobs.end(), std::back_inserter(answer.logprobs));
    } else if (const auto* ended = std::get_if<AnswerEnded>(&*event)) {
      answers[static_cast<size_t>(ended->choice)].why = ended->why;
    } else if (const auto* failed = std::get_if<RequestFailed>(&*event)) {
      return ReplyError(response, ToApiError(failed->error));
    } else if (const auto* all = std::get_if<RequestEnded>(&*event)) {
      return ReplyJson(response, builder.Whole(answers, *all));
    }
  }
}

void ReplyStream(const ReplyBuilder& builder, std::shared_ptr<Ticket> ticket, httplib::Response& response) {
  auto stream = std::make_shared<AnswerStream>(std::move(ticket), builder);
  response.set_header("Cache-Control", "no-cache");
  response.set_header("X-Accel-Buffering", "no");  // proxies are to pass events on at once
  response.set_chunked_content_provider("text/event-stream", [stream](size_t, httplib::DataSink& sink) {
    const std::string events = stream->Next();
    if (!sink.is_writable()) return false;
    if (!events.empty() && !sink.write(events.data(), events.size())) return false;
    if (stream->done()) sink.done();
    return true;
  });
}

// Of what is to be read; nothing: all is well.
std::optional<ApiError> CheckLength(const Service& service, const GenerationInput& input) {
  const auto tokens = static_cast<int64_t>(input.request.prompt.size());
  if (tokens <= service.options.prompt_tokens) return std::nullopt;
  return ApiError{400,
                  fmt::format("the prompt has {} tokens; this server takes {}", tokens, service.options.prompt_tokens),
                  input.reply.chat ? "messages" : "prompt", "context_length_exceeded"};
}

std::optional<ApiError> CheckLimits(const Service& service, const Json& body, const GenerationInput& input) {
  const Json model = body.value("model", Json());
  if (!model.is_null() && model != service.options.model_name) {
    return ApiError{404,
                    fmt::format("there is no model {}; this server has '{}'", Dump(model), service.options.model_name),
                    "model", "model_not_found"};
  }
  return CheckLength(service, input);
}

// Lets the request go on from the documents that it names.
std::optional<ApiError> GoOnFromDocuments(Service& service, GenerationInput* input) {
  if (input->documents.empty()) return std::nullopt;
  if (service.documents == nullptr) return ApiError{400, "this server has no documents", "documents"};
  Result<DocumentQuestion> question = service.documents->Ask(input->documents, input->question);
  if (!question.ok()) {
    ApiError error = ToApiError(question.error());
    error.param = "documents";
    return error;
  }
  GenerateRequest& request = input->request;
  request.start = std::move(question->session);
  request.session = request.start->options();
  request.prompt = std::move(question->tokens);
  if (auto error = CheckLength(service, *input)) return error;
  request.reuse = false;
  input->reply.citations = std::make_shared<std::vector<Citation>>();
  request.on_end = [citations = input->reply.citations, find = std::move(question->citations),
                    also = std::move(request.on_end)](const Session::Impl& session) {
    if (Result<std::vector<Citation>> found = find(); found.ok()) *citations = std::move(*found);
    if (also) also(session);
  };
  return std::nullopt;
}

void Serve(Service& service, ReplyKind kind, const Json& body, const httplib::Request& request,
           httplib::Response& response) {
  auto read = kind == ReplyKind::kChat ? ReadChat(body, *service.model, service.options)
                                       : ReadCompletion(body, *service.model, service.options);
  if (const auto* error = std::get_if<ApiError>(&read)) return ReplyError(response, *error);
  auto& input = std::get<GenerationInput>(read);
  if (const auto error = CheckLimits(service, body, input)) return ReplyError(response, *error);
  if (const auto error = GoOnFromDocuments(service, &input)) return ReplyError(response, *error);
  const ReplyBuilder builder(kind, service.options.model_name, input.reply);
  const std::shared_ptr<Ticket> ticket = service.scheduler.Submit(std::move(input.request));
  if (ticket == nullptr) {
    response.set_header("Retry-After", "5");
    if (service.stopping) return ReplyError(response, {503, "the server is shutting down"});
    return ReplyError(response, {429, "too many requests are waiting; try again later", "", "queue_full"});
  }
  if (input.reply.stream) return ReplyStream(builder, ticket, response);
  ReplyWhole(builder, ticket, request, response);
}

}  // namespace

void AddAnswerRoutes(httplib::Server& server, Service& service) {
  const auto add = [&](const char* path, ReplyKind kind) {
    server.Post(path, [&service, kind](const httplib::Request& request, httplib::Response& response,
                                       const httplib::ContentReader& reader) {
      if (const std::optional<Json> body = BodyOf(service, request, reader, response)) {
        Serve(service, kind, *body, request, response);
      }
    });
  };
  add("/v1/completions", ReplyKind::kCompletion);
  add("/v1/chat/completions", ReplyKind::kChat);
}

}  // namespace ltri
