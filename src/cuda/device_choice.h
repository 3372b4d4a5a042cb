// DeviceChoice: what a layer of ltri on the card weighs, sees and has voted for, on its way to a saved session and back
// (attention/choice_state.h, memory/vote_board.h). Everything here waits for the card.
#ifndef LTRI_CUDA_DEVICE_CHOICE_H_
#define LTRI_CUDA_DEVICE_CHOICE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "attention/method.h"
#include "base/serial.h"
#include "base/thread_pool.h"
#include "cuda/device_context.h"
#include "cuda/device_spans.h"
#include "cuda/device_store.h"
#include "ltri/session.h"
#include "memory/block_file.h"
#include "memory/vote_board.h"
#include "ops/cuda/choose.h"
#include "spans/ballot.h"

namespace ltri::cuda {

struct DeviceChoice {
  Ballot weights;               // persistent ones
  std::vector<TokenRange> far;  // what was chosen last, sinks included
  int64_t local_begin = 0;      // then
  int64_t token = -1;           // at which token; none

  void Put(StateWriter* to) const;
  // Of a text of `tokens`, of which `spans` spans are stored. Several groups of heads may have chosen on the host only.
  static DeviceChoice Get(StateReader* from, int64_t spans, int64_t tokens);
};

// chosen_at: the token at which the layer chose last, if that is what it sees.
DeviceChoice FetchChoice(Stream stream, const DeviceSpans& spans, const DeviceStore& store, int64_t layer,
                         int64_t chosen_at);
// Returns whether the layer sees what it saw then: if not, it has to choose anew.
bool PlaceChoice(Stream stream, const DeviceChoice& choice, const DeviceSpans& spans, const DeviceStore& store,
                 int64_t layer);

// The layer's part of the board.
std::vector<VoteBoard::Vote> FetchVotes(Stream stream, const DeviceSpans& spans);
// Votes on each of `spans` that come to these on the board; those on other tokens are left out.
std::vector<float> VotesOf(std::span<const VoteBoard::Vote> votes, std::span<const Span> spans);

// Which parts of the text the layers' heads asked for since ClearAsked, most first.
std::vector<RecallShare> AskedShares(std::span<const DeviceSpans> layers);

// The layers of a sequence that have spans, and at which token each chose last what it sees.
struct ChoosingLayers {
  std::span<DeviceSpans> spans;     // [layers]
  std::span<int64_t> chosen_begin;  // [layers] where local keys begin since then
  std::span<int64_t> chosen_at;     // [layers] -1: none
  BoardVote* board = nullptr;       // [tokens] votes of all layers
};
// The fields of Recall behind those of the stores. pool: groups the index by clusters; null: on this thread.
Status SaveLayers(const DeviceContext& context, ThreadPool* pool, const ChoosingLayers& layers,
                  const DeviceStore& store, const std::shared_ptr<BlockFile>& file, StateWriter* state);
// What SaveLayers, or Recall, wrote of a text of `tokens`. Returns whether all layers see what they saw: if not, all
// have to choose anew.
Result<bool> RestoreLayers(const DeviceContext& context, const ChoosingLayers& layers, const DeviceStore& store,
                           int64_t tokens, int64_t joined_end, const std::shared_ptr<BlockFile>& file,
                           StateReader* state);

}  // namespace ltri::cuda

#endif  // LTRI_CUDA_DEVICE_CHOICE_H_
