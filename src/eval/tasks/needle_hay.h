// NeedleHay: NeedleBench's haystack: chapters in random order, cut to a length in tokens, with needles at token places.
//
// Thread safety: one caller at a time (chapters are tokenized when they are first needed).
#ifndef LTRI_EVAL_TASKS_NEEDLE_HAY_H_
#define LTRI_EVAL_TASKS_NEEDLE_HAY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "eval/tasks/prompt_text.h"
#include "eval/tasks/token_meter.h"

namespace ltri {

struct HiddenNeedle {
  static constexpr double kAfterTheLast = -1;

  PromptText text;
  double place = 0;  // 0..1 of the haystack, or kAfterTheLast: the last needle's place and its length and `gap` further
  double gap = 0;    // of the haystack
};

class NeedleHay {
 public:
  NeedleHay(std::shared_ptr<const TokenMeter> meter, std::vector<std::string> chapters)
      : meter_(std::move(meter)), chapters_(std::move(chapters)), tokenized_(chapters_.size()) {}

  // `tokens` tokens of needles and text. Needles lie between characters, in words too, as NeedleBench has it; places
  // ascend, those behind the end pile up there. A haystack that is too short is repeated.
  Result<PromptText> Hide(const std::vector<HiddenNeedle>& needles, int64_t tokens, Random& random);

 private:
  Result<const TokenizedText*> Chapter(size_t i);

  std::shared_ptr<const TokenMeter> meter_;
  std::vector<std::string> chapters_;
  std::vector<std::optional<TokenizedText>> tokenized_;
};

}  // namespace ltri

#endif  // LTRI_EVAL_TASKS_NEEDLE_HAY_H_
