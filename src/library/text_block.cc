#include "library/text_block.h"

#include <fmt/format.h>

#include <numeric>

#include "base/serial.h"

namespace ltri {

std::vector<std::byte> EncodeTextBlock(const TextBlock& text) {
  StateWriter block;
  block.Put(static_cast<uint64_t>(text.token_bytes.size()));
  block.PutRaw(std::as_bytes(std::span(text.token_bytes)));
  block.PutRaw(BytesOf(text.text));
  return block.bytes();
}

Result<TextBlock> ReadTextBlock(const BlockFile& blocks, const TextPiece& piece, int64_t most) {
  const Error damaged{ErrorCode::kCorrupt,
                      fmt::format("the text of tokens {} to {} is not what the catalogue says of it", piece.token_begin,
                                  piece.token_end)};
  if (piece.block_bytes > most) return damaged;
  std::vector<std::byte> bytes(static_cast<size_t>(piece.block_bytes));
  if (Status status = blocks.Read(piece.address, bytes); !status.ok()) return status.error();
  StateReader in(bytes);
  TextBlock block;
  block.token_bytes.resize(static_cast<size_t>(in.GetCount(sizeof(uint32_t))));
  for (uint32_t& count : block.token_bytes) count = in.Get<uint32_t>();
  block.text = TextOf(in.GetRaw(in.left()));
  const auto shared = std::accumulate(block.token_bytes.begin(), block.token_bytes.end(), uint64_t{0});
  if (!in.ok() || shared != block.text.size() ||
      static_cast<int64_t>(block.token_bytes.size()) != piece.token_end - piece.token_begin ||
      static_cast<int64_t>(block.text.size()) != piece.byte_end - piece.byte_begin) {
    return damaged;
  }
  return block;
}

}  // namespace ltri
