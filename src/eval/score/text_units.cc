#include "eval/score/text_units.h"

#include <algorithm>

#include "text/utf8.h"

namespace ltri {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

char32_t Decode(std::string_view character) {
  const auto byte = [&](size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(character[i])); };
  switch (character.size()) {
    case 1:
      return byte(0);
    case 2:
      return (byte(0) & 0x1F) << 6 | (byte(1) & 0x3F);
    case 3:
      return (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    default:
      return (byte(0) & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
  }
}

void Append(std::string& text, char32_t c) {
  const auto tail = [&](int shift) { text += static_cast<char>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) {
    text += static_cast<char>(c);
  } else if (c < 0x800) {
    text += static_cast<char>(0xC0 | c >> 6);
    tail(0);
  } else if (c < 0x10000) {
    text += static_cast<char>(0xE0 | c >> 12);
    tail(6);
    tail(0);
  } else {
    text += static_cast<char>(0xF0 | c >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

bool In(char32_t c, char32_t first, char32_t last) { return c >= first && c <= last; }

// Alphabets in which capitals and small letters alternate, capitals on even code points.
bool AlternatesFromEven(char32_t c) { return In(c, 0x100, 0x137) || In(c, 0x14A, 0x177) || In(c, 0x460, 0x481); }
bool AlternatesFromOdd(char32_t c) { return In(c, 0x139, 0x148) || In(c, 0x179, 0x17E); }

char32_t LowerOf(char32_t c) {
  if (In(c, 'A', 'Z') || In(c, 0xC0, 0xD6) || In(c, 0xD8, 0xDE) || In(c, 0x391, 0x3A9) || In(c, 0x410, 0x42F)) {
    return c + 32;
  }
  if (In(c, 0x400, 0x40F)) return c + 80;
  if (AlternatesFromEven(c)) return c | 1;
  if (AlternatesFromOdd(c)) return c + c % 2;
  return c;
}

char32_t UpperOf(char32_t c) {
  if (In(c, 'a', 'z') || In(c, 0xE0, 0xF6) || In(c, 0xF8, 0xFE) || In(c, 0x3B1, 0x3C9) || In(c, 0x430, 0x44F)) {
    return c - 32;
  }
  if (In(c, 0x450, 0x45F)) return c - 80;
  if (AlternatesFromEven(c)) return c & ~char32_t{1};
  if (AlternatesFromOdd(c)) return c - (1 - c % 2);
  return c;
}

std::string Map(std::string_view text, char32_t (*map)(char32_t)) {
  std::u32string points = CodePoints(text);
  std::transform(points.begin(), points.end(), points.begin(), map);
  return Utf8(points);
}

}  // namespace

std::u32string CodePoints(std::string_view utf8) {
  std::u32string points;
  points.reserve(utf8.size());
  while (!utf8.empty()) {
    bool incomplete = false;
    const size_t length = Utf8CharLength(utf8, &incomplete);
    points += length == 0 ? kReplacement : Decode(utf8.substr(0, length));
    utf8.remove_prefix(std::max<size_t>(length, 1));
  }
  return points;
}

std::string Utf8(std::u32string_view code_points) {
  std::string text;
  for (const char32_t c : code_points) Append(text, c);
  return text;
}

bool IsSpace(char32_t c) {
  return In(c, 0x09, 0x0D) || In(c, 0x1C, 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 || In(c, 0x2000, 0x200A) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool IsAsciiPunctuation(char32_t c) { return In(c, '!', '/') || In(c, ':', '@') || In(c, '[', '`') || In(c, '{', '~'); }

bool IsWordCharacter(char32_t c) {
  if (c < 0x80) return In(c, '0', '9') || In(c, 'A', 'Z') || In(c, 'a', 'z') || c == '_';
  if (c < 0xC0) return c == 0xAA || c == 0xB2 || c == 0xB3 || c == 0xB5 || In(c, 0xB9, 0xBA) || In(c, 0xBC, 0xBE);
  return c != 0xD7 && c != 0xF7 && !IsSpace(c) && !In(c, 0x2010, 0x206F) && !In(c, 0x2190, 0x245F) &&
         !In(c, 0x2500, 0x2BFF) && !In(c, 0x3001, 0x3004) && !In(c, 0x3008, 0x3020) && !In(c, 0xFF00, 0xFF0F) &&
         !In(c, 0xFF1A, 0xFF20) && !In(c, 0xFF3B, 0xFF40) && !In(c, 0xFF5B, 0xFF65) && c != kReplacement;
}

std::string Lower(std::string_view text) { return Map(text, LowerOf); }
std::string Upper(std::string_view text) { return Map(text, UpperOf); }

std::string Trim(std::string_view text) {
  const std::u32string points = CodePoints(text);
  size_t begin = 0;
  size_t end = points.size();
  while (begin < end && IsSpace(points[begin])) ++begin;
  while (end > begin && IsSpace(points[end - 1])) --end;
  return Utf8(std::u32string_view(points).substr(begin, end - begin));
}

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  bool open = false;
  for (const char32_t c : CodePoints(text)) {
    const bool space = IsSpace(c);
    if (!space && !open) words.emplace_back();
    if (!space) Append(words.back(), c);
    open = !space;
  }
  return words;
}

std::vector<std::string> SplitAt(std::string_view text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::string Join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string text;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += separator;
    text += parts[i];
  }
  return text;
}

std::string ReplaceAll(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string Blank(std::string text, std::string_view characters) {
  for (char& c : text) {
    if (characters.find(c) != std::string_view::npos) c = ' ';
  }
  return text;
}

std::string SqueezeSpaces(std::string text) {
  const auto both = [](char a, char b) { return a == ' ' && b == ' '; };
  text.erase(std::unique(text.begin(), text.end(), both), text.end());
  return text;
}

std::vector<std::string> DigitRuns(std::string_view text) {
  std::vector<std::string> runs;
  bool open = false;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (digit && !open) runs.emplace_back();
    if (digit) runs.back() += c;
    open = digit;
  }
  return runs;
}

}  // namespace ltri
