// ReplyBuilder: what the scheduler tells, as the JSON that OpenAI's clients read.
#ifndef LTRI_SERVE_REPLY_BUILDER_H_
#define LTRI_SERVE_REPLY_BUILDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "serve/generate_event.h"
#include "serve/json_fields.h"
#include "serve/reply_choice.h"

namespace ltri {

enum class ReplyKind { kChat, kCompletion };

// One answer when all of it is there.
struct WholeAnswer {
  std::string text;
  std::vector<TokenLogprob> logprobs;
  AnswerEnd why = AnswerEnd::kModel;
};

class ReplyBuilder {
 public:
  ReplyBuilder(ReplyKind kind, std::string model, const ReplyChoice& choice);

  const ReplyChoice& choice() const { return reply_; }

  // The events of a stream. Opening and Sources may be null: there is nothing to say.
  Json Opening(int choice) const;
  Json Text(const AnswerText& text) const;
  Json Ended(const AnswerEnded& ended) const;
  // What an answer of `format` was, and its end.
  std::vector<Json> Read(int choice, const WholeAnswer& answer) const;
  Json Usage(const RequestEnded& ended) const;
  Json Sources() const;  // citations and map
  Json Progress(const PromptProgress& progress) const;

  // The whole reply.
  Json Whole(const std::vector<WholeAnswer>& answers, const RequestEnded& ended) const;

 private:
  Json Event(Json choices) const;
  Json Choice(int choice, const char* part, Json content, Json reason) const;
  Json Logprobs(const std::vector<TokenLogprob>& tokens) const;
  void AddSources(Json* json) const;

  ReplyKind kind_;
  std::string id_;
  int64_t created_;
  std::string model_;
  ReplyChoice reply_;
};

// "prefix" and 24 random characters.
std::string RandomId(const std::string& prefix);

}  // namespace ltri

#endif  // LTRI_SERVE_REPLY_BUILDER_H_
