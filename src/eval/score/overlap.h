// Measures of what two sequences have in common.
#ifndef LTRI_EVAL_SCORE_OVERLAP_H_
#define LTRI_EVAL_SCORE_OVERLAP_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ltri {

using WordList = std::vector<std::string>;

// Levenshtein's distance: insertions, deletions and replacements.
int64_t EditDistance(std::u32string_view a, std::u32string_view b);

// Harmonic mean; 0 when both are.
double F1(double precision, double recall);

// F1 of two bags of words: each counts as often as it occurs in both. 0 when they share nothing.
double BagF1(const WordList& a, const WordList& b);

// Places in `x` of one longest common subsequence with `y`, ascending. Of equally long ones, the one found walking back
// from the ends: in `x` first when x_first, else in `y` first.
std::vector<size_t> CommonSubsequence(const WordList& x, const WordList& y, bool x_first);

// Ratcliff and Obershelp's similarity as Python's difflib has it, characters that are frequent in a long `b` left out.
// 0..1
double MatchingBlockRatio(std::string_view a, std::string_view b);

}  // namespace ltri

#endif  // LTRI_EVAL_SCORE_OVERLAP_H_
