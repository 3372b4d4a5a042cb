// Choosing spans by votes on the card, and what a layer sees from then on (policy: attention/choose.h,
// memory/vote_board.h, spans/followers.h).
#ifndef LTRI_OPS_CUDA_CHOOSE_H_
#define LTRI_OPS_CUDA_CHOOSE_H_

#include <cstdint>
#include <span>

#include "ops/cuda/device.h"
#include "ops/cuda/index.h"
#include "ops/cuda/types.h"

namespace ltri::cuda {

// Votes on tokens, of all layers together, as whole numbers so that they can be taken back exactly.
using BoardVote = int64_t;

// Brings a layer's votes to the board in place of its last ones, and reads what all layers want of its spans.
// Votes below `minor` of the layer's highest count as none.
struct BoardArgs {
  DeviceIndex index;
  int64_t most_spans = 0;
  const float* votes = nullptr;       // [spans]; null: the layer never votes
  const uint32_t* highest = nullptr;  // of CastVotes
  float minor = 1e-3F;
  float* cast = nullptr;       // [spans] this layer's part of the board
  BoardVote* board = nullptr;  // [tokens]
  float* totals = nullptr;     // [spans] votes of all layers on each span
};
// Of layers that share a board, only one has votes, and it is by itself.
void TallyVotes(Stream stream, std::span<const BoardArgs> args);

// Slots of a layer for far keys that lie on the host: each token has one slot, which it shares with others.
struct FarSlots {
  int32_t count = 0;           // 0: far keys are read where they are
  int32_t* tokens = nullptr;   // [count] whose key and value each has; -1: none
  int32_t* wanted = nullptr;   // [count] scratch
  int32_t* missing = nullptr;  // [1 + count] how many slots are to be filled, and which
  int32_t* places = nullptr;   // of the layer's rows (ops/cuda/types.h)
};

// Spans by descending vote until the budget is filled; a share of it first by the weight that spans had before, one for
// those that follow voted ones, and what is left by the newest. weights: decay and grow by the votes.
struct ChooseArgs {
  DeviceIndex index;
  int64_t most_spans = 0;
  const float* votes = nullptr;  // [spans]
  float* weights = nullptr;      // [spans]
  float* loans = nullptr;        // [spans] scratch
  float* taken = nullptr;        // [spans] scratch
  int32_t budget = 0;            // tokens
  int32_t share = 0;             // tokens of the budget that go by weight
  int32_t lent = 0;              // tokens of the budget that go to followers
  int32_t reach = 0;             // tokens that followers may begin behind a voted span; 0: none follow
  float decay = 1.0F;
  float gain = 1.0F;  // what a vote adds to its weight
  int32_t sinks = 0;
  int32_t* rows = nullptr;    // the layer's far rows: sinks, then chosen tokens in text order; sinks + budget + 128
  LayerView* view = nullptr;  // the layer's: far, local_begin and positions are set; null: the choice is not used yet
  int32_t true_positions = 0;
  FarSlots slots;  // if there are any, CacheFarKeys follows
};
void ChooseSpans(Stream stream, std::span<const ChooseArgs> args);

// Before a step of tokens [begin, end): all layers end there, their positions are numbered anew, and windows move on.
// `open`: all of the text is local.
void AdvanceViews(Stream stream, LayerView* views, int64_t layers, int32_t begin, int32_t end, int32_t first,
                  int32_t host_end, bool true_positions, bool open);

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_CHOOSE_H_
