#include "text/text_cuts.h"

#include <cstdint>

namespace ltri {
namespace {

uint8_t Byte(char c) { return static_cast<uint8_t>(c); }

bool IsContinuation(char c) { return (Byte(c) & 0xC0) == 0x80; }

bool IsAsciiSpace(char c) { return Byte(c) <= Byte(' '); }

bool IsAsciiLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Whether the character with this lead byte is surely no white space, punctuation or combining mark of the blocks that
// patterns treat in special ways: Latin with accents, Greek, Cyrillic, and the Chinese, Japanese and Korean scripts.
bool LeadsWordChar(char lead) {
  const uint8_t byte = Byte(lead);
  return IsAsciiLetter(lead) || byte == 0xC3 || byte == 0xC4 || byte == 0xC5 || byte == 0xCE || byte == 0xD0 ||
         byte == 0xD1 || (byte >= 0xE4 && byte <= 0xEC);
}

char LeadBefore(std::string_view text, size_t at) {
  do {
    --at;
  } while (at > 0 && IsContinuation(text[at]));
  return text[at];
}

bool IsWordStart(std::string_view text, size_t at) {
  if (text[at] == ' ')
    return at + 1 < text.size() && LeadsWordChar(text[at + 1]) && LeadsWordChar(LeadBefore(text, at));
  return LeadsWordChar(text[at]) && at >= 2 && text[at - 1] == '\n' && LeadsWordChar(LeadBefore(text, at - 1));
}

}  // namespace

TextCuts::TextCuts(bool has_word_pattern, bool prefixes_space)
    : has_word_pattern_(has_word_pattern), prefixes_space_(prefixes_space) {}

void TextCuts::Add(std::string_view entry, bool special, bool strips) {
  strips_ = strips_ || strips;
  for (size_t i = 1; i < entry.size(); ++i) pairs_.set(Byte(entry[i - 1]) * 256U + Byte(entry[i]));
  if (special && !entry.empty()) {
    special_first_.set(Byte(entry.front()));
    special_last_.set(Byte(entry.back()));
  }
}

bool TextCuts::Joins(char left, char right) const { return pairs_.test(Byte(left) * 256U + Byte(right)); }

// Whether a special entry may stand at an end of the white space around the cut. Longer runs than kFar count as safe.
bool TextCuts::MayBeSwallowed(std::string_view text, size_t at) const {
  constexpr size_t kFar = 65536;
  size_t start = at;
  while (start > 0 && at - start < kFar && IsAsciiSpace(text[start - 1])) --start;
  size_t end = at;
  while (end < text.size() && end - at < kFar && IsAsciiSpace(text[end])) ++end;
  return (start > 0 && special_last_.test(Byte(text[start - 1]))) ||
         (end < text.size() && special_first_.test(Byte(text[end])));
}

bool TextCuts::IsSafe(std::string_view text, size_t at) const {
  const char left = text[at - 1];
  const char right = text[at];
  if (IsContinuation(right) || Joins(left, right)) return false;
  // A special entry beside the cut is matched first, and changes what is put in front of the text after it.
  if (special_last_.test(Byte(left)) || special_first_.test(Byte(right))) return false;
  if (right == ' ' && at + 1 < text.size() && special_first_.test(Byte(text[at + 1]))) return false;
  if (strips_ && MayBeSwallowed(text, at)) return false;
  if (has_word_pattern_) return IsWordStart(text, at);
  // The space that will be put in front must stay by itself, to be taken off again; or it stands for the text's own.
  return !prefixes_space_ || right == ' ' || !Joins(' ', right);
}

size_t TextCuts::Find(std::string_view text, size_t limit, bool* safe) const {
  for (size_t at = limit; at > 0; --at) {
    if (IsSafe(text, at)) {
      *safe = true;
      return at;
    }
  }
  *safe = false;
  size_t at = limit;
  while (at > 1 && IsContinuation(text[at])) --at;
  return at;
}

}  // namespace ltri
