// PromptText: a text under construction that knows which of its bytes are the evidence.
#ifndef LTRI_EVAL_TASKS_PROMPT_TEXT_H_
#define LTRI_EVAL_TASKS_PROMPT_TEXT_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eval/sample.h"

namespace ltri {

class PromptText {
 public:
  PromptText() = default;
  explicit PromptText(std::string_view text) : text_(text) {}

  PromptText& Add(std::string_view text) {
    text_ += text;
    return *this;
  }
  // The same, and it is evidence.
  PromptText& Mark(std::string_view text) {
    evidence_.push_back({text_.size(), text_.size() + text.size()});
    return Add(text);
  }
  PromptText& Add(const PromptText& other) {
    for (const ByteRange& range : other.evidence_) {
      evidence_.push_back({text_.size() + range.begin, text_.size() + range.end});
    }
    return Add(other.text_);
  }

  const std::string& text() const { return text_; }
  const std::vector<ByteRange>& evidence() const { return evidence_; }

  // The text becomes the sample's prompt.
  void MoveTo(Sample* sample) && {
    sample->prompt = std::move(text_);
    sample->evidence = std::move(evidence_);
  }

 private:
  std::string text_;
  std::vector<ByteRange> evidence_;
};

// Texts one behind the other.
inline PromptText Joined(const std::vector<PromptText>& parts, std::string_view separator) {
  PromptText joined;
  for (size_t i = 0; i < parts.size(); ++i) joined.Add(i == 0 ? std::string_view() : separator).Add(parts[i]);
  return joined;
}

}  // namespace ltri

#endif  // LTRI_EVAL_TASKS_PROMPT_TEXT_H_
