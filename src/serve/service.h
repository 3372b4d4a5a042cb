// Service: what the routes share.
#ifndef LTRI_SERVE_SERVICE_H_
#define LTRI_SERVE_SERVICE_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "ltri/model.h"
#include "serve/api_keys.h"
#include "serve/documents.h"
#include "serve/http_server_options.h"
#include "serve/metrics.h"
#include "serve/scheduler.h"

namespace ltri {

struct Service {
  std::shared_ptr<Model> model;
  HttpServerOptions options;
  ApiKeys keys;
  Metrics& metrics;
  Scheduler& scheduler;
  Documents* documents;  // null: there are none
  int64_t created;       // seconds since 1970
  std::atomic<bool> stopping = false;
};

}  // namespace ltri

#endif  // LTRI_SERVE_SERVICE_H_
