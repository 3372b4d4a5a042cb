// Generation: a token each a step for one or several sessions.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "engine/sampler.h"
#include "engine/session_impl.h"
#include "ltri/session.h"
#include "text/utf8.h"

namespace ltri {
namespace {

// One session's answer while it grows.
struct Answer {
  Session::Impl* session;
  Sampler sampler;
  const TextCallback* callback;  // null: none
  Utf8Stream characters;
  Generation result;
  bool done = false;
};

// Passes on whole characters. Returns false when the receiver wants no more.
bool Emit(Answer& answer, const std::string& text) {
  answer.result.text += text;
  return answer.callback == nullptr || !*answer.callback || (*answer.callback)(text);
}

void TakeToken(Answer& answer, const GenerateOptions& options, const Tokenizer& tokenizer) {
  const TokenId token = answer.sampler.Sample(answer.session->logits());
  answer.session->Add(token);
  if (!options.ignore_end && tokenizer.IsEndOfGeneration(token)) {
    answer.result.ended = true;
    answer.done = true;
    return;
  }
  answer.result.tokens.push_back(token);
  const bool more = Emit(answer, answer.characters.Push(tokenizer.Piece(token)));
  answer.done = !more || static_cast<int64_t>(answer.result.tokens.size()) >= options.max_tokens;
}

}  // namespace

Result<std::vector<Generation>> Session::GenerateTogether(std::span<Session* const> sessions,
                                                          const GenerateOptions& options,
                                                          std::span<const TextCallback> callbacks) {
  if (sessions.empty()) return std::vector<Generation>{};
  Engine& engine = sessions[0]->impl_->engine();
  std::vector<Answer> answers;
  for (size_t i = 0; i < sessions.size(); ++i) {
    Impl* impl = sessions[i]->impl_.get();
    if (&impl->engine() != &engine) {
      return Error{ErrorCode::kInvalidArgument, "sessions that generate together must share one model"};
    }
    if (std::find(sessions.begin(), sessions.begin() + static_cast<std::ptrdiff_t>(i), sessions[i]) !=
        sessions.begin() + static_cast<std::ptrdiff_t>(i)) {
      return Error{ErrorCode::kInvalidArgument, fmt::format("session {} is named twice; fork it to go on twice", i)};
    }
    if (Status status = sessions[i]->FinishPrompt(); !status.ok()) return status.error();
    Result<Sampler> sampler = Sampler::Create(options.sampling, engine.config().vocabulary);
    if (!sampler.ok()) return sampler.error();
    const TextCallback* callback = i < callbacks.size() ? &callbacks[i] : nullptr;
    answers.push_back({impl, std::move(*sampler), callback, {}, {}, options.max_tokens <= 0});
  }
  const auto undone = [](const Answer& answer) { return !answer.done; };
  while (std::any_of(answers.begin(), answers.end(), undone)) {
    std::vector<Slice> slices;
    std::vector<Impl*> decoded;
    for (Answer& answer : answers) {
      if (answer.done || answer.session->HasLogits()) continue;
      slices.push_back(answer.session->DecodeSlice());
      decoded.push_back(answer.session);
    }
    if (!slices.empty()) {
      if (Status status = engine.Step(slices); !status.ok()) return status.error();
    }
    for (Impl* impl : decoded) impl->Decoded();
    for (Answer& answer : answers) {
      if (!answer.done) TakeToken(answer, options, engine.tokenizer());
    }
  }
  std::vector<Generation> results;
  for (Answer& answer : answers) {
    Emit(answer, answer.characters.Finish());
    results.push_back(std::move(answer.result));
  }
  return results;
}

Result<Generation> Session::Generate(const GenerateOptions& options, const TextCallback& callback) {
  Session* self = this;
  Result<std::vector<Generation>> results =
      GenerateTogether({&self, 1}, options, std::span<const TextCallback>(&callback, 1));
  if (!results.ok()) return results.error();
  return std::move(results->front());
}

}  // namespace ltri
