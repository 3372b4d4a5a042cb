// Text blocks: the text of a run of tokens and how it is shared out among them. See docs/format_segment.md.
#ifndef LTRI_LIBRARY_TEXT_BLOCK_H_
#define LTRI_LIBRARY_TEXT_BLOCK_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "library/document_record.h"
#include "memory/block_file.h"

namespace ltri {

struct TextBlock {
  std::vector<uint32_t> token_bytes;  // [tokens] of `text`, in their order
  std::string text;
};

std::vector<std::byte> EncodeTextBlock(const TextBlock& text);

// The block of `piece`. Error kCorrupt when it is not what the piece says; `most` bounds the memory it may take.
Result<TextBlock> ReadTextBlock(const BlockFile& blocks, const TextPiece& piece, int64_t most);

}  // namespace ltri

#endif  // LTRI_LIBRARY_TEXT_BLOCK_H_
