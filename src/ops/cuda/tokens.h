// Keys and values of tokens side by side, as a file has them: a token's row is [kv_heads, keys | values, head_dim].
#ifndef LTRI_OPS_CUDA_TOKENS_H_
#define LTRI_OPS_CUDA_TOKENS_H_

#include <cstdint>

#include "ops/cuda/device.h"
#include "ops/cuda/types.h"

namespace ltri::cuda {

// Both arrays lie on the card or are pinned. out: [layers, kBlockTokens, row].
void PackBlock(Stream stream, const HeadShape& shape, const Half* block, Half* out);

// Token tokens[i] of a layer, which may be a slot, gets row i. blocks: of SequenceRef; rows, tokens: on the card or
// pinned, [count, row] and [count].
void PlaceTokens(Stream stream, const HeadShape& shape, Half* const* blocks, int64_t layer, const Half* rows,
                 const int32_t* tokens, int64_t count);

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_TOKENS_H_
