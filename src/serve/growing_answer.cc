#include "serve/growing_answer.h"

#include <algorithm>

#include "serve/logprobs.h"

namespace ltri {

Result<GrowingAnswer> GrowingAnswer::Begin(const GenerateRequest& request, int choice,
                                           std::unique_ptr<Session::Impl> session) {
  SamplingOptions sampling = request.sampling;
  sampling.seed += static_cast<uint32_t>(choice);
  Engine& engine = session->engine();
  Result<Sampler> sampler = Sampler::Create(sampling, engine.config().vocabulary);
  if (!sampler.ok()) return sampler.error();
  if (request.grammar != nullptr) {
    if (Status status = sampler->Constrain(*request.grammar, engine.shared_tokenizer()); !status.ok()) {
      return status.error();
    }
  }
  return GrowingAnswer(choice, std::move(session), std::move(*sampler), StopScan(request.stops));
}

void GrowingAnswer::TakeToken(const GenerateRequest& request, Ticket& ticket) {
  const Tokenizer& tokenizer = session_->engine().tokenizer();
  const TokenId token = sampler_.Sample(session_->logits());
  if (!request.ignore_end && tokenizer.IsEndOfGeneration(token)) {
    session_->Add(token);
    Emit(ticket, stops_.Push(characters_.Finish()));
    if (!stops_.stopped()) Emit(ticket, stops_.Finish());
    End(ticket, stops_.stopped() ? AnswerEnd::kStop : AnswerEnd::kModel);
    return;
  }
  ++tokens_;
  ++untold_;
  const bool shown = std::find(request.shown.begin(), request.shown.end(), token) != request.shown.end();
  const std::string piece = tokenizer.Piece(token, shown);
  if (request.logprobs) {
    waiting_.push_back(LogprobOf(session_->logits(), token, request.top_logprobs, tokenizer));
    waiting_.back().begin = bytes_;
  }
  session_->Add(token);
  bytes_ += static_cast<int64_t>(piece.size());
  Emit(ticket, stops_.Push(characters_.Push(piece)));
  if (stops_.stopped()) {
    End(ticket, AnswerEnd::kStop);
  } else if (tokens_ >= request.max_tokens) {
    Emit(ticket, stops_.Push(characters_.Finish()));
    if (!stops_.stopped()) Emit(ticket, stops_.Finish());
    End(ticket, AnswerEnd::kLength);
  }
}

void GrowingAnswer::Emit(Ticket& ticket, std::string text) {
  if (text.empty()) return;
  out_ += static_cast<int64_t>(text.size());
  AnswerText event{choice_, std::move(text), std::exchange(untold_, 0), {}};
  while (!waiting_.empty() && waiting_.front().begin < out_) {
    event.logprobs.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  ticket.Put(std::move(event));
}

void GrowingAnswer::End(Ticket& ticket, AnswerEnd why) {
  ended_ = true;
  if (why != AnswerEnd::kStop && !waiting_.empty()) {  // tokens without a text
    AnswerText last{choice_, "", std::exchange(untold_, 0), {}};
    for (TokenLogprob& waiting : waiting_) last.logprobs.push_back(std::move(waiting));
    waiting_.clear();
    ticket.Put(std::move(last));
  }
  ticket.Put(AnswerEnded{choice_, why});
}

}  // namespace ltri
