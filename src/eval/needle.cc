#include "eval/needle.h"

#include <fmt/format.h>

#include <algorithm>

#include "eval/tasks/draw.h"
#include "eval/tasks/names.h"
#include "eval/tasks/sentences.h"
#include "eval/tasks/token_meter.h"

namespace ltri {
namespace {

constexpr std::string_view kIntroduction =
    "Some special magic numbers are hidden within the following text. Make sure to memorize it. I will quiz you about "
    "the numbers afterwards.\n";

std::string Sentence(const std::string& key, const std::string& number) {
  return fmt::format(" One of the special magic numbers for {} is: {}.", key, number);
}

std::string Question(const std::string& key) {
  return fmt::format(
      "\nWhat is the special magic number for {0} mentioned in the provided text? The special magic number for {0} "
      "mentioned in the provided text is",
      key);
}

void Extend(std::vector<TokenId>* to, const std::vector<TokenId>& from) {
  to->insert(to->end(), from.begin(), from.end());
}

}  // namespace

Result<Haystack> Haystack::Create(const Model& model, std::string_view text) {
  Result<std::vector<TokenId>> tokens = model.Tokenize(SingleSpaces(text), /*begin=*/false, /*control=*/false);
  if (!tokens.ok()) return tokens.error();
  Haystack haystack;
  haystack.tokens_ = std::move(*tokens);
  for (const TokenId token : haystack.tokens_) {
    const std::string piece = model.Detokenize({&token, 1});
    const char last = piece.empty() ? ' ' : piece.back();
    haystack.ends_sentence_.push_back(last == '.' || last == '!' || last == '?' ? 1 : 0);
  }
  return haystack;
}

Result<NeedlePrompt> Haystack::MakePrompt(const Model& model, const NeedleOptions& options) const {
  Random random(options.seed);
  NeedlePrompt prompt;
  prompt.key = Choose(random, CityNames());
  prompt.answer = std::to_string(1000000 + random.Below(9000000));
  prompt.sentence = Sentence(prompt.key, prompt.answer);
  const auto front = model.Tokenize(kIntroduction, /*begin=*/true, /*control=*/false);
  const auto needle = model.Tokenize(prompt.sentence, false, false);
  const auto question = model.Tokenize(Question(prompt.key), false, false);
  if (!front.ok() || !needle.ok() || !question.ok()) return Error{ErrorCode::kUnsupported, "the prompt has no tokens"};

  const auto front_size = static_cast<int64_t>(front->size());
  const int64_t hay = options.tokens - front_size - static_cast<int64_t>(needle->size() + question->size());
  if (hay < 1 || hay > size()) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("a needle prompt of {} tokens needs {} tokens of haystack; the text has {}",
                             options.tokens, std::max<int64_t>(hay, 1), size())};
  }
  const int64_t offset = random.Below(size() - hay + 1);
  const auto is_end = [&](int64_t place) { return ends_sentence_[static_cast<size_t>(offset + place - 1)] != 0; };

  // Places between sentences within the margins, counted in haystack tokens before the needle.
  int64_t place = 0;
  if (options.depth >= 0) {
    place = static_cast<int64_t>(std::clamp(options.depth, 0.0, 1.0) * static_cast<double>(hay));
    while (place > 0 && !is_end(place)) --place;
  } else {
    std::vector<int64_t> places;
    const int64_t last = options.tokens - options.margin_back - static_cast<int64_t>(needle->size()) - front_size;
    for (int64_t i = std::max<int64_t>(1, options.margin_front - front_size); i <= std::min(last, hay); ++i) {
      if (is_end(i)) places.push_back(i);
    }
    if (places.empty()) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("no sentence ends between tokens {} and {} of the prompt", options.margin_front,
                               options.tokens - options.margin_back)};
    }
    place = places[static_cast<size_t>(random.Below(static_cast<int64_t>(places.size())))];
  }

  Extend(&prompt.tokens, *front);
  prompt.tokens.insert(prompt.tokens.end(), tokens_.begin() + offset, tokens_.begin() + offset + place);
  const auto start = static_cast<int64_t>(prompt.tokens.size());
  prompt.needle = {start, start + static_cast<int64_t>(needle->size())};
  const size_t at = prompt.sentence.find(prompt.answer);
  const TokenRange value = TokensWithin(TokenEnds(model, *needle, prompt.sentence), {at, at + prompt.answer.size()});
  prompt.evidence = {start + value.begin, start + value.end};
  Extend(&prompt.tokens, *needle);
  prompt.tokens.insert(prompt.tokens.end(), tokens_.begin() + offset + place, tokens_.begin() + offset + hay);
  Extend(&prompt.tokens, *question);
  return prompt;
}

}  // namespace ltri
