// HttpServerOptions: what `ltri serve` may be told.
#ifndef LTRI_SERVE_HTTP_SERVER_OPTIONS_H_
#define LTRI_SERVE_HTTP_SERVER_OPTIONS_H_

#include <cstdint>
#include <string>

#include "ltri/options.h"
#include "serve/scheduler.h"

namespace ltri {

struct HttpServerOptions {
  std::string host = "127.0.0.1";
  int port = 8080;           // 0: any that is free
  std::string model_name;    // for clients; empty: the file's name without its ending
  std::string api_key_file;  // a key a line; empty: no key is asked for
  std::string state;         // a folder that keeps what was read across a restart; empty: none
  std::string library;       // the folder of documents; empty: none

  int64_t memory = 0;  // bytes of RAM for keys, values and index of all sessions; 0: half of what is free

  int64_t body_bytes = int64_t{16} << 20;       // the largest body
  int64_t document_bytes = int64_t{256} << 20;  // the largest document
  int64_t connections = 256;                    // at once
  int64_t prompt_tokens = 262144;               // the longest prompt
  int64_t answer_tokens = 4096;                 // the longest answer
  int64_t default_answer_tokens = 512;          // when the client names no limit
  int64_t read_seconds = 30;                    // for a client to send or take the next bytes
  int64_t drain_seconds = 60;                   // for answers to end when the server stops

  SchedulerOptions scheduler;
  SessionOptions session;  // where a request does not say otherwise
};

}  // namespace ltri

#endif  // LTRI_SERVE_HTTP_SERVER_OPTIONS_H_
