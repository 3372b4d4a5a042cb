#include "eval/tasks/needle_hay.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "eval/tasks/draw.h"

namespace ltri {
namespace {

// Part of a chapter: the haystack is a list of these.
struct Stretch {
  const TokenizedText* chapter;
  int64_t tokens;  // from its start
};

// Adds tokens [begin, end) of the haystack.
void AddPart(PromptText& text, const std::vector<Stretch>& stretches, int64_t begin, int64_t end) {
  int64_t start = 0;
  for (const Stretch& stretch : stretches) {
    const int64_t from = std::clamp<int64_t>(begin - start, 0, stretch.tokens);
    const int64_t to = std::clamp<int64_t>(end - start, 0, stretch.tokens);
    if (from < to) text.Add(stretch.chapter->Part(from, to));
    start += stretch.tokens;
  }
}

}  // namespace

Result<const TokenizedText*> NeedleHay::Chapter(size_t i) {
  if (!tokenized_[i]) {
    Result<TokenizedText> chapter = TokenizedText::Create(*meter_, std::move(chapters_[i]) + "\n\n");
    if (!chapter.ok()) return chapter.error();
    tokenized_[i] = std::move(*chapter);
  }
  return &*tokenized_[i];
}

Result<PromptText> NeedleHay::Hide(const std::vector<HiddenNeedle>& needles, int64_t tokens, Random& random) {
  std::vector<int64_t> sizes;
  for (const HiddenNeedle& needle : needles) {
    const Result<int64_t> size = meter_->Count(needle.text.text());
    if (!size.ok()) return size.error();
    sizes.push_back(*size);
  }
  const int64_t target = tokens - std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
  if (target <= 0) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("no room for a haystack: the prompt needs {} tokens more; take longer texts", 1 - target)};
  }
  std::vector<size_t> order(chapters_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  Shuffle(random, order);
  std::vector<Stretch> stretches;
  int64_t total = 0;
  for (size_t i = 0; total < target; i = (i + 1) % order.size()) {
    const Result<const TokenizedText*> chapter = Chapter(order[i]);
    if (!chapter.ok()) return chapter.error();
    stretches.push_back({*chapter, std::min((*chapter)->size(), target - total)});
    total += stretches.back().tokens;
  }
  PromptText text;
  int64_t done = 0;
  int64_t last = 0;
  for (size_t i = 0; i < needles.size(); ++i) {
    const auto of_hay = [&](double share) { return static_cast<int64_t>(share * static_cast<double>(target)); };
    const int64_t wish = needles[i].place == HiddenNeedle::kAfterTheLast ? last + sizes[i - 1] + of_hay(needles[i].gap)
                                                                         : of_hay(needles[i].place);
    last = wish;
    const int64_t place = std::clamp(wish, done, target);
    AddPart(text, stretches, done, place);
    text.Add(needles[i].text);
    done = place;
  }
  AddPart(text, stretches, done, target);
  return text;
}

}  // namespace ltri
