#include "serve/answer_stream.h"

#include <chrono>
#include <utility>

namespace ltri {
namespace {

constexpr std::chrono::milliseconds kWait{1000};
constexpr int kMostSilent = 5;  // calls

void Put(const Json& event, std::string* out) {
  if (!event.is_null()) *out += "data: " + Dump(event) + "\n\n";
}

}  // namespace

AnswerStream::AnswerStream(std::shared_ptr<Ticket> ticket, const ReplyBuilder& builder)
    : ticket_(std::move(ticket)),
      builder_(builder),
      opened_(static_cast<size_t>(builder.choice().choices)),
      answers_(static_cast<size_t>(builder.choice().choices)) {}

std::string AnswerStream::Next() {
  std::string out;
  std::optional<GenerateEvent> event = ticket_->Wait(kWait);
  while (event.has_value()) {
    Write(*event, &out);
    event = ticket_->Wait(std::chrono::milliseconds(0));
  }
  silent_ = out.empty() ? silent_ + 1 : 0;
  if (silent_ < kMostSilent) return out;
  silent_ = 0;
  return ": waiting\n\n";
}

void AnswerStream::Open(int choice, std::string* out) {
  if (opened_[static_cast<size_t>(choice)]) return;
  opened_[static_cast<size_t>(choice)] = true;
  Put(builder_.Opening(choice), out);
}

void AnswerStream::End(const AnswerEnded& ended, std::string* out) {
  Open(ended.choice, out);
  WholeAnswer& answer = answers_[static_cast<size_t>(ended.choice)];
  answer.why = ended.why;
  if (builder_.choice().format == nullptr) return Put(builder_.Ended(ended), out);
  for (const Json& event : builder_.Read(ended.choice, answer)) Put(event, out);
}

void AnswerStream::Write(const GenerateEvent& event, std::string* out) {
  if (const auto* text = std::get_if<AnswerText>(&event)) {
    Open(text->choice, out);
    if (builder_.choice().format == nullptr) return Put(builder_.Text(*text), out);
    WholeAnswer& answer = answers_[static_cast<size_t>(text->choice)];
    answer.text += text->text;
    answer.logprobs.insert(answer.logprobs.end(), text->logprobs.begin(), text->logprobs.end());
  } else if (const auto* ended = std::get_if<AnswerEnded>(&event)) {
    End(*ended, out);
  } else if (const auto* progress = std::get_if<PromptProgress>(&event)) {
    if (builder_.choice().progress) Put(builder_.Progress(*progress), out);
  } else if (const auto* failed = std::get_if<RequestFailed>(&event)) {
    *out += "data: " + ErrorBody(ToApiError(failed->error)) + "\n\ndata: [DONE]\n\n";
    done_ = true;
  } else if (const auto* all = std::get_if<RequestEnded>(&event)) {
    Put(builder_.Sources(), out);
    if (builder_.choice().usage) Put(builder_.Usage(*all), out);
    *out += "data: [DONE]\n\n";
    done_ = true;
  }
}

}  // namespace ltri
