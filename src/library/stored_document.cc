#include "library/stored_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "library/state_file.h"
#include "library/text_block.h"

namespace ltri {
namespace {

// A commit or `compact` may remove a state between two of our steps; what then counts is in the catalogue.
constexpr int kAttempts = 10;

}  // namespace

Result<StoredDocument> StoredDocument::Open(Store& store, const std::string& name) {
  Error error;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    Result<DocumentRecord> record = store.catalogue().Find(name);
    if (!record.ok()) return record.error();
    const std::string folder = store.FolderOf(record->id);
    Result<DocumentState> state = ReadState(store.files(), folder, record->id, record->generation);
    Result<std::shared_ptr<DocumentBlocks>> blocks =
        DocumentBlocks::Open(store.files(), folder, record->id, record->segments, OpenFor::kReading);
    if (state.ok() && blocks.ok()) {
      return StoredDocument(std::move(*record), std::move(state->session), std::move(*blocks));
    }
    error = state.ok() ? blocks.error() : state.error();
    if (error.code != ErrorCode::kNotFound) break;
  }
  return Error{error.code, fmt::format("document '{}': {}", name, error.message)};
}

Result<StoredDocument::Passage> StoredDocument::Text(int64_t token_begin, int64_t token_end) const {
  Passage passage;
  const auto ends_before = [](const TextPiece& piece, int64_t token) { return piece.token_end <= token; };
  auto piece = std::lower_bound(record_.texts.begin(), record_.texts.end(), token_begin, ends_before);
  if (piece != record_.texts.end()) passage.byte_begin = piece->byte_begin;
  for (; piece != record_.texts.end() && piece->token_begin < token_end; ++piece) {
    if (Status status = AddText(*piece, token_begin, token_end, passage); !status.ok()) return status.error();
  }
  return passage;
}

Result<std::string> StoredDocument::Bytes(int64_t begin, int64_t end) const {
  std::string text;
  for (const TextPiece& piece : record_.texts) {
    if (piece.byte_end <= begin || piece.byte_begin >= end) continue;
    const Result<TextBlock> block = ReadTextBlock(*blocks_, piece, record_.stored_bytes());
    if (!block.ok()) return block.error();
    const auto from = static_cast<size_t>(std::max<int64_t>(0, begin - piece.byte_begin));
    const auto to = static_cast<size_t>(std::min(end, piece.byte_end) - piece.byte_begin);
    text.append(block->text, from, to - from);
  }
  return text;
}

// Adds what of `piece` belongs to the tokens; the first piece says where the passage begins.
Status StoredDocument::AddText(const TextPiece& piece, int64_t token_begin, int64_t token_end, Passage& passage) const {
  const Result<TextBlock> block = ReadTextBlock(*blocks_, piece, record_.stored_bytes());
  if (!block.ok()) return block.error();
  size_t at = 0;
  for (size_t i = 0; i < block->token_bytes.size(); ++i) {
    const int64_t token = piece.token_begin + static_cast<int64_t>(i);
    if (token == token_begin) passage.byte_begin = piece.byte_begin + static_cast<int64_t>(at);
    if (token >= token_begin && token < token_end) passage.text.append(block->text, at, block->token_bytes[i]);
    at += block->token_bytes[i];
  }
  return {};
}

}  // namespace ltri
