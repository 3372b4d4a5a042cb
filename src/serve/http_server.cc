#include "serve/http_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <filesystem>
#include <mutex>
#include <thread>
#include <utility>

#include "base/http_library.h"
#include "base/process_memory.h"
#include "memory/spill_file.h"
#include "serve/kept_sessions.h"
#include "serve/paths.h"
#include "serve/request_log.h"
#include "serve/routes.h"

namespace ltri {
namespace {

using HandlerResponse = httplib::Server::HandlerResponse;

// What is on these paths is the same for everyone and tells nothing.
bool IsOpen(const std::string& path) { return path == "/health" || path == "/" || path.starts_with("/page/"); }

// The route for the metrics: paths that clients make up are not to become names.
std::string RouteOf(const httplib::Request& request) {
  return request.matched_route.empty() ? "other" : request.matched_route;
}

// Bytes of the memory of all texts that are for the document that is being read.
int64_t MemoryForReading(const HttpServerOptions& options) {
  constexpr int64_t kMost = int64_t{1} << 30;
  return options.library.empty() ? 0 : std::min(kMost, options.memory / 4);
}

const char* Explain(int status) {
  switch (status) {
    case 400:
      return "the request is no HTTP that this server understands";
    case 404:
      return "there is nothing at this path";
    case 405:
      return "this path has no such method";
    case 413:
      return "the body is larger than this server takes";
    case 414:
      return "the path is longer than this server takes";
    case 431:
      return "the headers are larger than this server takes";
    default:
      return "the request failed";
  }
}

bool IsOfThisMachine(const std::string& host) {
  return host.starts_with("127.") || host == "localhost" || host == "::1";
}

// Before the body is read: only routes that want one read it, within their limits.
HandlerResponse TurnAway(const ApiError& error, httplib::Response& response) {
  response.set_header("Connection", "close");
  ReplyError(response, error);
  return HandlerResponse::Handled;
}

}  // namespace

struct HttpServer::Impl {
  Impl(std::shared_ptr<Model> model, const HttpServerOptions& options, ApiKeys keys, std::shared_ptr<Tier> blocks)
      : tier(std::move(blocks)),
        scheduler(model, options.scheduler, &metrics, tier),
        service{std::move(model), options, std::move(keys), metrics, scheduler, nullptr, std::time(nullptr)} {
    if (options.library.empty()) return;
    documents = std::make_unique<Documents>(service.model, tier, options.library, options.session,
                                            MemoryForReading(options), [this](double seconds) { Pace(seconds); });
    service.documents = documents.get();
  }

  void SetUp();
  HandlerResponse LetIn(const httplib::Request& request, httplib::Response& response) const;
  void Pace(double seconds);
  void WaitForEnd();
  void BringBack();
  void Keep();

  Metrics metrics;
  std::shared_ptr<Tier> tier;  // where the blocks of all sessions are
  Scheduler scheduler;
  Service service;
  std::unique_ptr<Documents> documents;  // null: there are none
  httplib::Server server;
  int port = 0;

  std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  bool stopping = false;
  bool served = false;  // all connections are done
};

HandlerResponse HttpServer::Impl::LetIn(const httplib::Request& request, httplib::Response& response) const {
  response.set_header(kRequestIdHeader, RequestId(request));
  if (!IsOpen(request.path) && !service.keys.Allows(request.get_header_value("Authorization"))) {
    response.set_header("WWW-Authenticate", "Bearer");
    return TurnAway({401, "this server needs an API key: Authorization: Bearer KEY", "", "invalid_api_key"}, response);
  }
  const std::string_view methods = MethodsOf(request.path);
  if (methods.empty()) return TurnAway({404, Explain(404)}, response);
  if (!HasMethod(methods, request.method)) {
    response.set_header("Allow", std::string(methods));
    return TurnAway({405, Explain(405)}, response);
  }
  const bool has_body =
      request.has_header("Transfer-Encoding") || request.get_header_value_u64("Content-Length", 0) > 0;
  if (has_body && request.method != "POST") {
    return TurnAway({400, "a request of this method has no body here"}, response);
  }
  return HandlerResponse::Unhandled;
}

void HttpServer::Impl::SetUp() {
  const HttpServerOptions& options = service.options;
  server.new_task_queue = [&options] {
    constexpr size_t kThreads = 8;  // that are always there
    const auto most = static_cast<size_t>(options.connections);
    return new httplib::ThreadPool(std::min(kThreads, most), most, most);
  };
  server.set_payload_max_length(static_cast<size_t>(std::max(options.body_bytes, options.document_bytes)));
  server.set_read_timeout(options.read_seconds);
  server.set_write_timeout(options.read_seconds);
  server.set_tcp_nodelay(true);
  server.set_default_headers({{"X-Content-Type-Options", "nosniff"}});
  server.set_pre_routing_handler([this](const auto& request, auto& response) { return LetIn(request, response); });
  server.set_error_handler(httplib::Server::Handler([](const httplib::Request& request, httplib::Response& response) {
    if (response.get_header_value(kRequestIdHeader).empty()) {
      response.set_header(kRequestIdHeader, RequestId(request));
    }
    if (response.body.empty()) ReplyError(response, {response.status, Explain(response.status)});
  }));
  server.set_exception_handler([](const auto&, httplib::Response& response, const std::exception_ptr&) {
    ReplyError(response, {500, "the request failed for a reason that is not its own"});
  });
  server.set_logger([this](const httplib::Request& request, const httplib::Response& response) {
    metrics.CountReply(RouteOf(request), response.status);
    LogRequest(request, response);
  });
  AddAnswerRoutes(server, service);
  AddModelRoutes(server, service);
  AddPageRoutes(server);
  if (documents != nullptr) AddDocumentRoutes(server, service);
}

// A document that is being read leaves those who wait for answers their share of the time.
void HttpServer::Impl::Pace(double seconds) {
  const double share = service.options.scheduler.prompt_share;
  const bool busy = metrics.answering + metrics.reading + metrics.queued > 0;
  if (busy && !service.stopping)
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds * (1 - share) / share));
}

// After Stop: who is not served when the time is over is turned away.
void HttpServer::Impl::WaitForEnd() {
  std::unique_lock<std::mutex> lock(mutex);
  changed.wait(lock, [this] { return stopping || served; });
  if (changed.wait_for(lock, std::chrono::seconds(service.options.drain_seconds), [this] { return served; })) return;
  LogEvent("stopping", "the time for answers to end is over");
  scheduler.Stop();
}

void HttpServer::Impl::BringBack() {
  const std::string& folder = service.options.state;
  if (folder.empty()) return;
  Result<std::vector<std::unique_ptr<Session::Impl>>> sessions =
      BringBackSessions(FileSystem::Posix(), folder, service.model, tier);
  if (!sessions.ok()) return LogEvent("state", "starting without what was kept: " + sessions.error().message);
  std::reverse(sessions->begin(), sessions->end());  // the one used last is kept last
  for (auto& session : *sessions) scheduler.cache().Keep(std::move(session), CacheSource::kDisk);
  LogEvent("state", fmt::format("{} sessions were kept in {}", sessions->size(), folder));
}

void HttpServer::Impl::Keep() {
  const std::string& folder = service.options.state;
  if (folder.empty()) return;
  const Status status = KeepSessions(FileSystem::Posix(), folder, scheduler.cache().sessions());
  LogEvent("state", status.ok() ? fmt::format("{} sessions are kept in {}", scheduler.cache().count(), folder)
                                : "nothing could be kept: " + status.error().message);
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

int HttpServer::port() const { return impl_->port; }

Result<std::unique_ptr<HttpServer>> HttpServer::Create(std::shared_ptr<Model> model, const HttpServerOptions& options) {
  HttpServerOptions complete = options;
  if (complete.model_name.empty()) complete.model_name = std::filesystem::path(model->info().path).stem().string();
  Result<ApiKeys> keys = ApiKeys::Load(options.api_key_file);
  if (!keys.ok()) return keys.error();
  if (Result<Session> session = Session::Create(model, options.session); !session.ok()) return session.error();
  Result<std::shared_ptr<SpillFile>> overflow = SpillFile::Create();
  if (!overflow.ok()) return overflow.error();
  if (!options.state.empty()) {  // rather now than when there is something to keep
    if (Status status = FileSystem::Posix().MakeFolder(options.state); !status.ok()) return status.error();
  }
  complete.memory = MemoryBudget(options.memory);
  const int64_t for_answers = complete.memory - MemoryForReading(complete);
  auto impl = std::make_unique<Impl>(std::move(model), complete, std::move(*keys),
                                     Tier::Create(for_answers, std::move(*overflow)));
  impl->SetUp();
  impl->BringBack();
  impl->port = options.port == 0 ? impl->server.bind_to_any_port(options.host)
                                 : (impl->server.bind_to_port(options.host, options.port) ? options.port : -1);
  if (impl->port < 0) {
    return Error{ErrorCode::kIo, fmt::format("cannot listen on {} port {}: it is taken, or no address of this machine",
                                             options.host, options.port)};
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

Status HttpServer::Run() {
  const std::string& host = impl_->service.options.host;
  if (!IsOfThisMachine(host) && !impl_->service.keys.needed()) {
    LogEvent("warning", fmt::format("whoever reaches {} may use this server; --api-keys asks for keys", host));
  }
  LogEvent("listening", fmt::format("http://{}:{}", host, impl_->port));
  std::thread steps([this] { impl_->scheduler.Run(); });
  std::thread watch([this] { impl_->WaitForEnd(); });
  const bool listened = impl_->server.listen_after_bind();  // returns when all connections are done
  {
    const std::lock_guard<std::mutex> lock(impl_->mutex);
    impl_->served = true;
  }
  impl_->changed.notify_all();
  impl_->scheduler.Drain();
  steps.join();
  watch.join();
  impl_->Keep();
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  if (listened || impl_->stopping) return {};
  return Error{ErrorCode::kIo, fmt::format("cannot accept connections on port {}", impl_->port)};
}

void HttpServer::Stop() {
  impl_->service.stopping = true;
  {
    const std::lock_guard<std::mutex> lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->changed.notify_all();
  impl_->server.stop();
}

}  // namespace ltri
