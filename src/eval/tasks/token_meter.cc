#include "eval/tasks/token_meter.h"

#include <algorithm>

namespace ltri {
namespace {

constexpr size_t kBytesPerToken = 4;

bool ContinuesCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

Result<int64_t> TokenMeter::Count(std::string_view text) const {
  const Result<std::vector<size_t>> ends = Ends(text);
  if (!ends.ok()) return ends.error();
  return static_cast<int64_t>(ends->size());
}

std::vector<size_t> TokenEnds(const Model& model, const std::vector<TokenId>& tokens, std::string_view text) {
  std::vector<size_t> ends;
  ends.reserve(tokens.size());
  size_t end = 0;
  for (const TokenId& token : tokens) ends.push_back(end += model.Detokenize({&token, 1}).size());
  const size_t extra = end > text.size() ? end - text.size() : 0;
  for (size_t& e : ends) e = e > extra ? e - extra : 0;
  return ends;
}

TokenRange TokensWithin(const std::vector<size_t>& ends, ByteRange bytes) {
  const auto first = std::upper_bound(ends.begin(), ends.end(), bytes.begin);
  const auto last = std::lower_bound(first, ends.end(), bytes.end);
  return {first - ends.begin(), last - ends.begin() + (last == ends.end() ? 0 : 1)};
}

Result<std::vector<size_t>> ModelMeter::Ends(std::string_view text) const {
  const Result<std::vector<TokenId>> tokens = model_->Tokenize(text, /*begin=*/false, /*control=*/false);
  if (!tokens.ok()) return tokens.error();
  return TokenEnds(*model_, *tokens, text);
}

Result<int64_t> ModelMeter::Count(std::string_view text) const {
  const Result<std::vector<TokenId>> tokens = model_->Tokenize(text, /*begin=*/false, /*control=*/false);
  if (!tokens.ok()) return tokens.error();
  return static_cast<int64_t>(tokens->size());
}

Result<std::vector<size_t>> ByteMeter::Ends(std::string_view text) const {
  std::vector<size_t> ends;
  size_t begin = 0;
  for (size_t i = 1; i <= text.size(); ++i) {
    const bool word_starts = i < text.size() && text[i] == ' ';
    const bool long_enough = i - begin >= kBytesPerToken && (i == text.size() || !ContinuesCharacter(text[i]));
    if (i < text.size() && !word_starts && !long_enough) continue;
    ends.push_back(i);
    begin = i;
  }
  return ends;
}

Result<TokenizedText> TokenizedText::Create(const TokenMeter& meter, std::string text) {
  Result<std::vector<size_t>> ends = meter.Ends(text);
  if (!ends.ok()) return ends.error();
  TokenizedText tokenized;
  tokenized.text_ = std::move(text);
  tokenized.ends_ = std::move(*ends);
  return tokenized;
}

size_t TokenizedText::ByteOf(int64_t token) const {
  if (token <= 0) return 0;
  if (token >= size()) return text_.size();
  size_t byte = std::min(ends_[static_cast<size_t>(token - 1)], text_.size());
  while (byte < text_.size() && ContinuesCharacter(text_[byte])) ++byte;
  return byte;
}

std::string_view TokenizedText::Part(int64_t begin, int64_t end) const {
  const size_t first = ByteOf(begin);
  return std::string_view(text_).substr(first, std::max(ByteOf(end), first) - first);
}

}  // namespace ltri
