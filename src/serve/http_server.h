// HttpServer: the model behind OpenAI's HTTP interface (docs/api.md).
//
// Thread safety: Stop from any thread.
#ifndef LTRI_SERVE_HTTP_SERVER_H_
#define LTRI_SERVE_HTTP_SERVER_H_

#include <memory>

#include "ltri/model.h"
#include "ltri/result.h"
#include "serve/http_server_options.h"

namespace ltri {

class HttpServer {
 public:
  // Listens already, but serves nobody before Run. Errors: kInvalidArgument (host, port, session options), kNotFound
  // and kInvalidArgument (keys), kIo (the port is taken).
  static Result<std::unique_ptr<HttpServer>> Create(std::shared_ptr<Model> model, const HttpServerOptions& options);

  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const;

  // Serves until Stop and until those who are being served are done, or the time for that is over.
  Status Run();
  void Stop();

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ltri

#endif  // LTRI_SERVE_HTTP_SERVER_H_
