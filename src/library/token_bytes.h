// TokenBytes: at which byte of a document's text its last tokens begin.
#ifndef LTRI_LIBRARY_TOKEN_BYTES_H_
#define LTRI_LIBRARY_TOKEN_BYTES_H_

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace ltri {

class TokenBytes {
 public:
  // Knows nothing before token `begin`, which begins at `byte`.
  TokenBytes(int64_t begin, int64_t byte) : begin_(begin), offsets_{byte} {}

  // The next tokens have so many bytes each.
  void Append(std::span<const uint32_t> lengths) {
    for (const uint32_t length : lengths) offsets_.push_back(offsets_.back() + length);
  }

  // Where token `token` begins; for those not known, where the nearest that is does.
  int64_t At(int64_t token) const {
    const auto last = static_cast<int64_t>(offsets_.size()) - 1;
    return offsets_[static_cast<size_t>(std::clamp<int64_t>(token - begin_, 0, last))];
  }

  // Forgets the tokens before `token`.
  void Forget(int64_t token) {
    const auto last = static_cast<int64_t>(offsets_.size()) - 1;
    const int64_t count = std::clamp<int64_t>(token - begin_, 0, last);
    offsets_.erase(offsets_.begin(), offsets_.begin() + count);
    begin_ += count;
  }

 private:
  int64_t begin_;
  std::vector<int64_t> offsets_;  // [tokens + 1]
};

// How many bytes of `text` each of its tokens stands for. They sum up to all of it, also where a tokenizer changes
// characters.
inline std::vector<uint32_t> ShareText(const Tokenizer& tokenizer, std::span<const TokenId> tokens,
                                       std::string_view text) {
  std::vector<uint32_t> lengths;
  size_t left = text.size();
  for (const TokenId token : tokens) {
    const size_t length = std::min(left, tokenizer.Piece(token).size());
    lengths.push_back(static_cast<uint32_t>(length));
    left -= length;
  }
  if (!lengths.empty()) lengths.back() += static_cast<uint32_t>(left);
  return lengths;
}

}  // namespace ltri

#endif  // LTRI_LIBRARY_TOKEN_BYTES_H_
