// VoteBoard: what all layers together ask for, as votes over token positions (docs/ltri.md, "votes shared by layers").
//
// A layer finds the votes of the layers below from this step and of those above from the step before: each layer's
// vote replaces its last one when it comes. The votes of all are kept in text order too, so that a sum goes through
// text and spans once, from front to back. Work grows with the votes, not with the text.
#ifndef LTRI_MEMORY_VOTE_BOARD_H_
#define LTRI_MEMORY_VOTE_BOARD_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/serial.h"
#include "base/thread_pool.h"
#include "spans/ballot.h"
#include "spans/span.h"
#include "spans/span_directory.h"

namespace ltri {

class VoteBoard {
 public:
  explicit VoteBoard(int64_t layers) : votes_(static_cast<size_t>(layers)) {}

  // Replaces the layer's vote. spans: its stored spans; a span's vote is spread over its tokens.
  void Replace(int64_t layer, std::span<const Span> spans, const Ballot& ballot);

  // The votes of all layers on the tokens of `spans`, which `directory` lists: the `most` highest.
  Ballot Collect(ThreadPool& pool, std::span<const Span> spans, const SpanDirectory& directory, int64_t most) const;

  // Forgets votes on tokens >= `tokens`.
  void Truncate(int64_t tokens);

  // A vote per token on [begin, end).
  struct Vote {
    int64_t begin;
    int64_t end;
    float density;
  };
  // The same with votes as another board has them, in text order.
  void Place(int64_t layer, std::vector<Vote> votes);
  // The last votes of a layer.
  const std::vector<Vote>& votes(int64_t layer) const { return votes_[static_cast<size_t>(layer)]; }

  void Save(StateWriter* state) const;
  void Restore(StateReader* state);

  int64_t bytes() const;

 private:
  // A vote, and whose it is.
  struct LayerVote {
    Vote vote;
    int32_t layer;
  };

  Ballot CollectPart(const SpanDirectory& directory, int64_t begin, int64_t end) const;
  void Merge(int64_t layer);
  void MergeAll();

  std::vector<std::vector<Vote>> votes_;     // [layers], in text order
  std::vector<LayerVote> merged_, scratch_;  // by the first token, then by layer
  int64_t longest_ = 0;                      // no vote has more tokens
};

}  // namespace ltri

#endif  // LTRI_MEMORY_VOTE_BOARD_H_
