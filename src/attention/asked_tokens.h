// AskedTokens: which parts of a text the heads asked for, added up over steps and layers. What an answer is said to
// come from is taken from here.
#ifndef LTRI_ATTENTION_ASKED_TOKENS_H_
#define LTRI_ATTENTION_ASKED_TOKENS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "attention/method.h"
#include "spans/ballot.h"
#include "spans/span.h"

namespace ltri {

class AskedTokens {
 public:
  static constexpr int64_t kPiece = 16;  // tokens that are added up together

  void Clear() { votes_.assign(votes_.size(), 0.0F); }

  // A vote on a span is spread over its tokens.
  void Add(std::span<const Span> spans, const Ballot& ballot);

  // Stretches that stand out, most first, each with its share of all votes.
  std::vector<RecallShare> Shares() const;

 private:
  std::vector<float> votes_;  // [pieces]
};

}  // namespace ltri

#endif  // LTRI_ATTENTION_ASKED_TOKENS_H_
