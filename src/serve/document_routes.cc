// /v1/documents.
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <limits>
#include <thread>
#include <utility>

#include "base/http_library.h"
#include "serve/routes.h"

namespace ltri {
namespace {

constexpr int kConflict = 409;
constexpr const char* kBytes = "application/octet-stream";
constexpr std::chrono::milliseconds kLook{250};  // how often progress is told

const char* NameOf(ReadingState state) {
  switch (state) {
    case ReadingState::kUploading:
      return "uploading";
    case ReadingState::kWaiting:
      return "waiting";
    case ReadingState::kReading:
      return "reading";
    case ReadingState::kReady:
      return "ready";
    case ReadingState::kFailed:
      return "failed";
  }
  return "";
}

Json Describe(const DocumentStatus& status) {
  Json json = {{"id", status.name},         {"object", "document"},  {"status", NameOf(status.state)},
               {"created", status.created}, {"bytes", status.bytes}, {"tokens", status.tokens}};
  if (!status.error.empty()) json["error"] = status.error;
  if (status.state != ReadingState::kReading) return json;
  const Progress& progress = status.progress;
  const double rate = progress.seconds > 0 ? static_cast<double>(progress.done) / progress.seconds : 0;
  json["progress"] = {
      {"read", progress.done},
      {"total", progress.total},
      {"tokens_per_second", rate},
      {"seconds_left", rate > 0 ? Json(static_cast<double>(progress.total - progress.done) / rate) : Json()}};
  return json;
}

struct FileCloser {
  void operator()(FILE* file) const { std::fclose(file); }
};

// Streams the body into a file.
std::optional<ApiError> Save(const httplib::ContentReader& reader, const std::string& path, int64_t most) {
  std::unique_ptr<FILE, FileCloser> file(std::fopen(path.c_str(), "wb"));
  if (file == nullptr) return ApiError{500, "the document cannot be stored"};
  int64_t bytes = 0;
  bool written = true;
  const bool all = reader([&](const char* data, size_t size) {
    bytes += static_cast<int64_t>(size);
    written = std::fwrite(data, 1, size, file.get()) == size;
    return written && bytes <= most;
  });
  // What is acknowledged is on the disk.
  written = written && std::fflush(file.get()) == 0 && fsync(fileno(file.get())) == 0;
  written = std::fclose(file.release()) == 0 && written;
  if (all && written) return std::nullopt;
  if (bytes > most) return ApiError{413, fmt::format("the document is larger than {} bytes", most)};
  if (!written) return ApiError{507, "there is no space for the document"};
  return ApiError{400, "the document ended too early"};
}

void Upload(Service& service, const httplib::Request& request, httplib::Response& response,
            const httplib::ContentReader& reader) {
  const auto refuse = [&](const ApiError& error) {
    response.set_header("Connection", "close");  // some of the body may be unread
    ReplyError(response, error);
  };
  if (!IsOfType(request, kBytes)) {
    return refuse({415, fmt::format("the Content-Type must be {}", kBytes)});
  }
  const std::string name = request.get_param_value("name");
  const Result<std::string> path = service.documents->Begin(name);
  if (!path.ok()) {
    ApiError error = ToApiError(path.error());
    error.param = "name";
    if (service.documents->Find(name).ok()) error.status = kConflict;
    return refuse(error);
  }
  if (const auto error = Save(reader, *path, service.options.document_bytes)) {
    service.documents->GiveUp(name);
    return refuse(*error);
  }
  if (const Status added = service.documents->Add(name); !added.ok()) {
    service.documents->GiveUp(name);
    return refuse(ToApiError(added.error()));
  }
  response.status = 202;
  const Result<DocumentStatus> status = service.documents->Find(name);
  ReplyJson(response, status.ok() ? Describe(*status) : Json::object());
}

// The document's state as events, until it is read.
void StreamProgress(Service& service, const std::string& name, httplib::Response& response) {
  if (const Result<DocumentStatus> found = service.documents->Find(name); !found.ok()) {
    return ReplyError(response, ToApiError(found.error()));
  }
  response.set_header("Cache-Control", "no-cache");
  response.set_chunked_content_provider("text/event-stream", [&service, name](size_t, httplib::DataSink& sink) {
    const Result<DocumentStatus> status = service.documents->Find(name);
    const bool done = !status.ok() || service.stopping || status->state == ReadingState::kReady ||
                      status->state == ReadingState::kFailed;
    const std::string event =
        "data: " + (status.ok() ? Dump(Describe(*status)) : ErrorBody(ToApiError(status.error()))) + "\n\n";
    if (!sink.is_writable() || !sink.write(event.data(), event.size())) return false;
    if (done) {
      sink.done();
    } else {
      std::this_thread::sleep_for(kLook);
    }
    return true;
  });
}

int64_t NumberParameter(const httplib::Request& request, const char* name, int64_t standard) {
  const std::string text = request.get_param_value(name);
  int64_t number = standard;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc() && end == text.data() + text.size() ? number : standard;
}

void Text(Service& service, const httplib::Request& request, httplib::Response& response) {
  const Result<std::string> text =
      service.documents->Text(request.path_params.at("name"), NumberParameter(request, "begin", 0),
                              NumberParameter(request, "end", std::numeric_limits<int64_t>::max()));
  if (!text.ok()) return ReplyError(response, ToApiError(text.error()));
  response.set_content(*text, "text/plain; charset=utf-8");
}

void List(Service& service, httplib::Response& response) {
  const Result<std::vector<DocumentStatus>> all = service.documents->List();
  if (!all.ok()) return ReplyError(response, ToApiError(all.error()));
  Json list = Json::array();
  for (const DocumentStatus& status : *all) list.push_back(Describe(status));
  ReplyJson(response, {{"object", "list"}, {"data", std::move(list)}});
}

}  // namespace

void AddDocumentRoutes(httplib::Server& server, Service& service) {
  server.Post("/v1/documents",
              [&service](const httplib::Request& request, httplib::Response& response,
                         const httplib::ContentReader& reader) { Upload(service, request, response, reader); });
  server.Get("/v1/documents",
             [&service](const httplib::Request&, httplib::Response& response) { List(service, response); });
  server.Get("/v1/documents/:name", [&service](const httplib::Request& request, httplib::Response& response) {
    const Result<DocumentStatus> status = service.documents->Find(request.path_params.at("name"));
    if (!status.ok()) return ReplyError(response, ToApiError(status.error()));
    ReplyJson(response, Describe(*status));
  });
  server.Get("/v1/documents/:name/events", [&service](const httplib::Request& request, httplib::Response& response) {
    StreamProgress(service, request.path_params.at("name"), response);
  });
  server.Get("/v1/documents/:name/text", [&service](const httplib::Request& request, httplib::Response& response) {
    Text(service, request, response);
  });
  server.Delete("/v1/documents/:name", [&service](const httplib::Request& request, httplib::Response& response) {
    const std::string& name = request.path_params.at("name");
    const Status status = service.documents->Remove(name);
    if (!status.ok() && status.error().code == ErrorCode::kCancelled) {  // now it cannot be
      return ReplyError(response, {kConflict, status.error().message, "name"});
    }
    if (!status.ok()) return ReplyError(response, ToApiError(status.error()));
    ReplyJson(response, {{"id", name}, {"object", "document"}, {"deleted", true}});
  });
}

}  // namespace ltri
