#include "cli/serve.h"

#include <pthread.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <memory>
#include <thread>

#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/library_options.h"
#include "cli/model_options.h"
#include "cli/option_types.h"
#include "cli/session_options.h"
#include "serve/http_server.h"

namespace ltri {
namespace {

struct ServeOptions {
  ModelChoice model;
  LibraryChoice library;
  HttpServerOptions server;
  std::string config;
  int64_t cache_megabytes = 4096;
  int64_t body_megabytes = 16;
};

// While alive, SIGINT and SIGTERM stop the server; it waits for them on a thread of its own.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&signals_);
    for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&signals_, signal);
    pthread_sigmask(SIG_BLOCK, &signals_, &before_);  // threads that begin from now on too
  }
  ~StopSignals() {
    End();
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // server lives until End.
  void Watch(HttpServer& server) {
    thread_ = std::thread([this, &server] {
      int signal = 0;
      sigwait(&signals_, &signal);
      if (signal != SIGUSR1) server.Stop();
    });
  }
  void End() {
    if (!thread_.joinable()) return;
    pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
  }

 private:
  sigset_t signals_{};
  sigset_t before_{};
  std::thread thread_;
};

Status Serve(ServeOptions options) {
  StopSignals signals;
  Result<std::shared_ptr<Model>> model = LoadModel(options.model);
  if (!model.ok()) return model.error();
  options.server.scheduler.cache_bytes = options.cache_megabytes << 20;
  options.server.body_bytes = options.body_megabytes << 20;
  const Result<Library> library = OpenLibrary(options.library);
  if (!library.ok()) return library.error();
  options.server.library = library->folder();
  Result<std::unique_ptr<HttpServer>> server = HttpServer::Create(*model, options.server);
  if (!server.ok()) return server.error();
  signals.Watch(**server);
  Status served = (*server)->Run();
  signals.End();
  return served;
}

void AddCount(CLI::App& app, const char* name, int64_t& value, double low, const char* unit, const char* help) {
  app.add_option(name, value, help)->check(AtLeast(low))->type_name(unit)->group("Limits");
}

void AddServerOptions(CLI::App& app, ServeOptions& options) {
  HttpServerOptions& server = options.server;
  app.add_option("--host", server.host, "The address to listen on; 0.0.0.0: all of this machine")
      ->type_name("ADDRESS")
      ->group("Server");
  app.add_option("--port", server.port, "The port to listen on; 0: any that is free")
      ->check(Between(0, 65535))
      ->type_name("N")
      ->group("Server");
  app.add_option("--model-name", server.model_name, "What clients call the model (without it: its file's name)")
      ->type_name("NAME")
      ->group("Server");
  app.add_option("--api-keys", server.api_key_file, "A file with the keys that clients need, one a line")
      ->type_name("FILE")
      ->group("Server");
  app.add_option("--state", server.state, "A folder that keeps what was read from one run to the next")
      ->type_name("FOLDER")
      ->group("Server");
  AddLibraryOption(app, options.library);
  AddMemoryOption(app, server.memory,
                  {"RAM for the memory of all texts; what does not fit goes to a temporary file (without it: half of "
                   "what is free)",
                   "Limits"});
  AddCount(app, "--parallel", server.scheduler.parallel, 1, "N", "Requests that are served at once");
  AddCount(app, "--queue", server.scheduler.queue, 0, "N", "Requests that wait for that; more are refused");
  AddCount(app, "--connections", server.connections, 1, "N", "Connections at once");
  AddCount(app, "--max-prompt", server.prompt_tokens, 1, "TOKENS", "The longest prompt");
  AddCount(app, "--max-answer", server.answer_tokens, 1, "TOKENS", "The longest answer");
  AddCount(app, "--cache", options.cache_megabytes, 0, "MB",
           "What was read and stays, in RAM or on disk, for prompts that begin alike");
  AddCount(app, "--max-body", options.body_megabytes, 1, "MB", "The largest request");
  AddCount(app, "--client-timeout", server.read_seconds, 1, "SECONDS", "How long a client may be silent");
  AddCount(app, "--drain", server.drain_seconds, 0, "SECONDS",
           "How long answers may take to end when the server stops");
  app.add_option("--prompt-share", server.scheduler.prompt_share,
                 "The share of the time for prompts while answers grow")
      ->check(Between(0.01, 1))
      ->type_name("0..1")
      ->group("Limits");
}

}  // namespace

void AddServeCommand(CLI::App& app) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = app.add_subcommand("serve", "Answer over HTTP, as OpenAI's clients expect it");
  AddModelOptions(*command, options->model);
  AddServerOptions(*command, *options);
  AddMethodOption(*command, options->server.session);
  AddSessionOptions(*command, options->server.session);
  command->add_option("--config", options->config, "A file with options: a line `port=8080` for each")
      ->type_name("FILE")
      ->group("Server");
  command->callback([options, command] {
    if (const Status status = ApplyConfigFile(*command, options->config); !status.ok()) Fail(status.error());
    if (const Status status = Serve(*options); !status.ok()) Fail(status.error());
  });
}

}  // namespace ltri
