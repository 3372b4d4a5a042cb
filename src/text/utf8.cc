#include "text/utf8.h"

#include <cstdint>

namespace ltri {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct Lead {
  size_t length;       // of the whole character; 0: not a lead byte
  uint8_t low = 0x80;  // bounds of the second byte
  uint8_t high = 0xBF;
};

Lead LeadOf(uint8_t byte) {
  if (byte < 0x80) return {1};
  if (byte < 0xC2) return {0};
  if (byte < 0xE0) return {2};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0};
}

}  // namespace

size_t Utf8CharLength(std::string_view text, bool* incomplete) {
  *incomplete = false;
  if (text.empty()) return 0;
  const Lead lead = LeadOf(static_cast<uint8_t>(text[0]));
  for (size_t i = 1; i < lead.length; ++i) {
    if (i == text.size()) {
      *incomplete = true;
      return 0;
    }
    const auto byte = static_cast<uint8_t>(text[i]);
    if (byte < (i == 1 ? lead.low : 0x80) || byte > (i == 1 ? lead.high : 0xBF)) return 0;
  }
  return lead.length;
}

std::optional<size_t> FindInvalidUtf8(std::string_view text) {
  bool incomplete = false;
  for (size_t at = 0; at < text.size();) {
    const size_t length = static_cast<uint8_t>(text[at]) < 0x80 ? 1 : Utf8CharLength(text.substr(at, 4), &incomplete);
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

std::string Utf8Stream::Push(std::string_view bytes) {
  pending_.append(bytes);
  std::string whole;
  size_t at = 0;
  while (at < pending_.size()) {
    bool incomplete = false;
    const size_t length = Utf8CharLength(std::string_view(pending_).substr(at), &incomplete);
    if (incomplete) break;
    if (length == 0) {
      whole += kReplacement;
      ++at;
    } else {
      whole.append(pending_, at, length);
      at += length;
    }
  }
  pending_.erase(0, at);
  return whole;
}

std::string Utf8Stream::Finish() {
  std::string rest(pending_.empty() ? std::string_view() : kReplacement);
  pending_.clear();
  return rest;
}

}  // namespace ltri
