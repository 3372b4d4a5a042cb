// Code points, case and words as the reference scorers (Python) see them.
#ifndef LTRI_EVAL_SCORE_TEXT_UNITS_H_
#define LTRI_EVAL_SCORE_TEXT_UNITS_H_

#include <string>
#include <string_view>
#include <vector>

namespace ltri {

// Bytes that are no UTF-8 become U+FFFD.
std::u32string CodePoints(std::string_view utf8);
std::string Utf8(std::u32string_view code_points);

bool IsSpace(char32_t c);  // white space of any script
bool IsAsciiPunctuation(char32_t c);
bool IsWordCharacter(char32_t c);          // letters, digits and _ of any script
std::string Lower(std::string_view text);  // Latin, Greek and Cyrillic
std::string Upper(std::string_view text);

std::string Trim(std::string_view text);
std::vector<std::string> Words(std::string_view text);  // split at white space
std::vector<std::string> SplitAt(std::string_view text, char separator);
std::string Join(const std::vector<std::string>& parts, std::string_view separator);
std::string ReplaceAll(std::string text, std::string_view from, std::string_view to);
// Each of these characters becomes a space.
std::string Blank(std::string text, std::string_view characters);
std::string SqueezeSpaces(std::string text);  // runs of ' ' become one

inline bool Contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// Every maximal run of ASCII digits.
std::vector<std::string> DigitRuns(std::string_view text);

}  // namespace ltri

#endif  // LTRI_EVAL_SCORE_TEXT_UNITS_H_
