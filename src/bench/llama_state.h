// The saved state of one llama.cpp sequence, made longer.
//
// The bytes are those of llama_state_seq_get_data of the pinned version with flash attention on: a magic number and
// the sequence, then for each cache (one, or two for models with sliding windows) the number of streams, cells with
// their positions, and per layer the type, row size and rows of keys, then of values.
#ifndef LTRI_BENCH_LLAMA_STATE_H_
#define LTRI_BENCH_LLAMA_STATE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "ltri/result.h"

namespace ltri {

// The state of a sequence of `tokens` tokens: the cells of the first cache are repeated at rising positions, those of
// a second one, which holds a window, move to the new end. `tokens` is at least the number of cells. Error
// kUnsupported when the bytes are laid out in another way.
Result<std::vector<uint8_t>> StretchLlamaState(std::span<const uint8_t> state, int64_t tokens);

}  // namespace ltri

#endif  // LTRI_BENCH_LLAMA_STATE_H_
