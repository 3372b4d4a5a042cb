#include "eval/score/scorer.h"

#include <iterator>

#include "eval/score/scorers.h"

namespace ltri {
namespace {

struct NamedScorer {
  const char* name;
  Scorer score;
};

constexpr NamedScorer kScorers[] = {
    {"string_match_all", StringMatchAll},
    {"string_match_part", StringMatchPart},
    {"keyword_share", KeywordShare},
    {"lower_keywords", LowerKeywords},
    {"needle_or_distance", NeedleOrDistance},
    {"boxed", Boxed},
    {"number_token", NumberToken},
    {"stemmed_rouge1", StemmedRouge1},
    {"word_recall", WordRecall},
    {"first_integer", FirstInteger},
    {"key_value", KeyValue},
    {"code_run", CodeRun},
    {"code_debug", CodeDebug},
    {"math_find", MathFind},
    {"math_calc", MathCalc},
    {"dialogue", Dialogue},
    {"book_choice", BookChoice},
    {"word_f1", WordF1},
    {"character_f1", CharacterF1},
    {"rouge_lsum", RougeLsum},
    {"rouge_l", RougeL},
    {"character_rouge_l", CharacterRougeL},
    {"classification", Classification},
    {"counted", Counted},
    {"retrieved_paragraph", RetrievedParagraph},
    {"code_similarity", CodeSimilarity},
    {"choice_letter", ChoiceLetter},
};

}  // namespace

Scorer FindScorer(std::string_view name) {
  for (const NamedScorer& scorer : kScorers) {
    if (name == scorer.name) return scorer.score;
  }
  return nullptr;
}

std::vector<std::string> ScorerNames() {
  std::vector<std::string> names;
  names.reserve(std::size(kScorers));
  for (const NamedScorer& scorer : kScorers) names.emplace_back(scorer.name);
  return names;
}

}  // namespace ltri
