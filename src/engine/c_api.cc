// The public API for C: handles around the classes of model.h and session.h, and the last error of each thread.
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "ltri/ltri.h"
#include "ltri/model.h"
#include "ltri/session.h"

struct ltri_model {
  std::shared_ptr<ltri::Model> model;
};

struct ltri_session {
  std::shared_ptr<ltri::Model> model;
  ltri::Session session;
};

namespace {

thread_local ltri::Error last_error{ltri::ErrorCode::kInvalidArgument, ""};
thread_local ltri_status last_status = LTRI_OK;

ltri_status StatusOf(ltri::ErrorCode code) {
  switch (code) {
    case ltri::ErrorCode::kInvalidArgument:
      return LTRI_INVALID_ARGUMENT;
    case ltri::ErrorCode::kNotFound:
      return LTRI_NOT_FOUND;
    case ltri::ErrorCode::kCorrupt:
      return LTRI_CORRUPT;
    case ltri::ErrorCode::kUnsupported:
      return LTRI_UNSUPPORTED;
    case ltri::ErrorCode::kOutOfMemory:
      return LTRI_OUT_OF_MEMORY;
    case ltri::ErrorCode::kIo:
      return LTRI_IO;
    case ltri::ErrorCode::kCancelled:
      return LTRI_CANCELLED;
  }
  return LTRI_INVALID_ARGUMENT;
}

ltri_status Fail(ltri::Error error) {
  last_status = StatusOf(error.code);
  last_error = std::move(error);
  return last_status;
}

ltri_status Missing(const char* what) {
  return Fail({ltri::ErrorCode::kInvalidArgument, std::string(what) + " is NULL"});
}

// No exception may reach C: what `call` returns, or the failure that it ended with.
template <typename Call>
auto Guard(Call&& call) -> decltype(call()) {
  ltri::Error error;
  try {
    return call();
  } catch (const std::bad_alloc&) {
    error = {ltri::ErrorCode::kOutOfMemory, "out of memory"};
  } catch (const std::exception& wrong) {
    error = {ltri::ErrorCode::kInvalidArgument, wrong.what()};
  }
  const ltri_status status = Fail(std::move(error));
  if constexpr (std::is_same_v<decltype(call()), ltri_status>) {
    return status;
  } else {
    return nullptr;
  }
}

ltri::SessionOptions FromC(const ltri_options& options) {
  ltri::SessionOptions out;
  if (options.method != nullptr) out.method = options.method;
  out.sinks = options.sinks;
  out.window = options.window;
  out.budget = options.budget;
  out.block = options.block;
  out.memory = options.memory;
  return out;
}

ltri::GenerateOptions FromC(const ltri_generate_options& options) {
  ltri::GenerateOptions out;
  out.max_tokens = options.max_tokens;
  out.sampling.temperature = options.temperature;
  out.sampling.top_p = options.top_p;
  out.sampling.top_k = options.top_k;
  out.sampling.seed = options.seed;
  return out;
}

}  // namespace

const char* ltri_error(void) { return last_error.message.c_str(); }
ltri_status ltri_error_status(void) { return last_status; }

ltri_model* ltri_model_load(const char* name_or_path, int32_t threads) {
  return Guard([&]() -> ltri_model* {
    if (name_or_path == nullptr) return Missing("name_or_path"), nullptr;
    ltri::ModelOptions options;
    options.threads = threads;
    auto model = ltri::Model::Load(name_or_path, options);
    if (!model) return Fail(model.error()), nullptr;
    return new ltri_model{std::move(*model)};
  });
}

void ltri_model_free(ltri_model* model) { delete model; }

int64_t ltri_model_trained_context(const ltri_model* model) { return model->model->info().trained_context; }

char* ltri_model_format_question(const ltri_model* model, const char* text, size_t bytes, const char* question) {
  return Guard([&]() -> char* {
    if (text == nullptr || question == nullptr) return Missing(text == nullptr ? "text" : "question"), nullptr;
    const ltri::ChatMessage message{"user", std::string(text, bytes) + "\n\n" + question};
    auto prompt = model->model->FormatChat({&message, 1});
    if (!prompt) return Fail(prompt.error()), nullptr;
    char* copy = new char[prompt->size() + 1];
    std::memcpy(copy, prompt->c_str(), prompt->size() + 1);
    return copy;
  });
}

void ltri_text_free(char* text) { delete[] text; }

ltri_options ltri_default_options(void) {
  const ltri::SessionOptions d;
  return {"ltri", d.sinks, d.window, d.budget, d.block, d.memory};
}

ltri_session* ltri_session_create(ltri_model* model, const ltri_options* options) {
  return Guard([&]() -> ltri_session* {
    if (model == nullptr) return Missing("model"), nullptr;
    auto session = ltri::Session::Create(model->model, FromC(options != nullptr ? *options : ltri_default_options()));
    if (!session) return Fail(session.error()), nullptr;
    return new ltri_session{model->model, std::move(*session)};
  });
}

ltri_session* ltri_session_fork(const ltri_session* session) {
  return Guard([&]() -> ltri_session* {
    auto fork = session->session.Fork();
    if (!fork) return Fail(fork.error()), nullptr;
    return new ltri_session{session->model, std::move(*fork)};
  });
}

void ltri_session_free(ltri_session* session) { delete session; }

ltri_status ltri_session_append(ltri_session* session, const char* text, size_t bytes, bool control,
                                ltri_progress_callback progress, void* user) {
  return Guard([&] {
    if (text == nullptr) return Missing("text");
    const auto tokens = session->model->Tokenize({text, bytes}, session->session.tokens().empty(), control);
    if (!tokens) return Fail(tokens.error());
    ltri::ProgressCallback report;
    if (progress != nullptr) report = [&](const ltri::Progress& p) { return progress(p.done, p.total, user); };
    const ltri::Status read = session->session.Append(*tokens, report);
    return read ? LTRI_OK : Fail(read.error());
  });
}

ltri_generate_options ltri_default_generate_options(void) {
  const ltri::GenerateOptions d;
  return {d.max_tokens, d.sampling.temperature, d.sampling.top_p, d.sampling.top_k, d.sampling.seed};
}

ltri_status ltri_session_generate(ltri_session* session, const ltri_generate_options* options,
                                  ltri_text_callback callback, void* user) {
  return Guard([&] {
    ltri::TextCallback show;
    if (callback != nullptr) {
      show = [&](std::string_view piece) { return callback(piece.data(), piece.size(), user); };
    }
    const auto answer =
        session->session.Generate(FromC(options != nullptr ? *options : ltri_default_generate_options()), show);
    return answer ? LTRI_OK : Fail(answer.error());
  });
}

ltri_status ltri_session_truncate(ltri_session* session, int64_t tokens) {
  return Guard([&] {
    const ltri::Status status = session->session.Truncate(tokens);
    return status ? LTRI_OK : Fail(status.error());
  });
}

int64_t ltri_session_tokens(const ltri_session* session) {
  return static_cast<int64_t>(session->session.tokens().size());
}

int64_t ltri_session_memory(const ltri_session* session) { return session->session.memory().total(); }
