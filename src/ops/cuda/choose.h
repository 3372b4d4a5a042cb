// Choosing spans by votes on the card, and what the layer sees from then on (policy: attention/choose.h,
// memory/vote_board.h).
#ifndef LTRI_OPS_CUDA_CHOOSE_H_
#define LTRI_OPS_CUDA_CHOOSE_H_

#include <cstdint>

#include "ops/cuda/device.h"
#include "ops/cuda/index.h"
#include "ops/cuda/types.h"

namespace ltri::cuda {

// Votes on tokens, of all layers together, as whole numbers so that they can be taken back exactly.
using BoardVote = int64_t;

// Brings the layer's votes to the board in place of its last ones, and reads what all layers want of its spans.
// Votes below `minor` of the layer's highest count as none.
struct BoardArgs {
  DeviceIndex index;
  int64_t most_spans = 0;
  const float* votes = nullptr;       // [spans]
  const uint32_t* highest = nullptr;  // of CastVotes
  float minor = 1e-3F;
  float* cast = nullptr;       // [spans] this layer's part of the board
  BoardVote* board = nullptr;  // [tokens]
  float* totals = nullptr;     // [spans] votes of all layers on each span
};
void ShareVotes(Stream stream, const BoardArgs& args);

// Spans by descending vote until the budget is filled; a share of it first by the weight that spans had before, and
// what is left by the newest. weights: decay and grow by the votes.
struct ChooseArgs {
  DeviceIndex index;
  const float* votes = nullptr;  // [spans]
  float* weights = nullptr;      // [spans]
  uint8_t* picked = nullptr;     // [spans] scratch
  int32_t budget = 0;            // tokens
  int32_t share = 0;             // tokens of the budget that go by weight
  float decay = 1.0F;
  float gain = 1.0F;  // what a vote adds to its weight
  int32_t sinks = 0;
  int32_t* rows = nullptr;    // the layer's far rows: sinks, then chosen tokens in text order; sinks + budget + 128
  LayerView* view = nullptr;  // the layer's: far, local_begin and positions are set; null: the choice is not used yet
  int32_t true_positions = 0;
  int32_t cached = 0;  // 1: CacheFarKeys follows
};
void ChooseSpans(Stream stream, const ChooseArgs& args);

// Before a step: all layers end at `end`, and their positions are numbered anew. `open`: all of the text is local.
void AdvanceViews(Stream stream, LayerView* views, int64_t layers, int32_t end, bool true_positions, bool open);

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_CHOOSE_H_
