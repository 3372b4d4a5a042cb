// The scorers, suite by suite. References are the golds, unless said otherwise; several golds: the best counts.
#ifndef LTRI_EVAL_SCORE_SCORERS_H_
#define LTRI_EVAL_SCORE_SCORERS_H_

#include <string>

#include "eval/score/scorer.h"

namespace ltri {

// RULER.
double StringMatchAll(const std::string& prediction, const References& golds);   // share of golds that are in it
double StringMatchPart(const std::string& prediction, const References& golds);  // whether any gold is in it

// NeedleBench.
double KeywordShare(const std::string& prediction, const References& keywords);  // share of keywords in it
double LowerKeywords(const std::string& prediction, const References& golds);    // v1 M-RS: words of the gold, any case
double NeedleOrDistance(const std::string& prediction, const References& needle_and_keyword);  // v1 S-RT
double Boxed(const std::string& prediction, const References& golds);  // V2: the last \boxed{...}
std::string BoxedAnswer(const std::string& prediction);                // "None" when there is none

// NIAH.
double NumberToken(const std::string& prediction, const References& golds);  // a word, or the beginning of one
double StemmedRouge1(const std::string& prediction, const References& golds);
double WordRecall(const std::string& prediction, const References& golds);

// Infinity-Bench.
double FirstInteger(const std::string& prediction, const References& golds);
double KeyValue(const std::string& prediction, const References& golds);
double CodeRun(const std::string& prediction, const References& golds);
double CodeDebug(const std::string& prediction, const References& function_and_letter);
double MathFind(const std::string& prediction, const References& golds);
double MathCalc(const std::string& prediction, const References& values);
double Dialogue(const std::string& prediction, const References& golds);  // the first gold
double BookChoice(const std::string& prediction, const References& option_and_letter);
double WordF1(const std::string& prediction, const References& golds);
double CharacterF1(const std::string& prediction, const References& golds);
double RougeLsum(const std::string& prediction, const References& golds);

// LongBench.
double RougeL(const std::string& prediction, const References& golds);
double CharacterRougeL(const std::string& prediction, const References& golds);
double Classification(const std::string& prediction, const References& gold_and_classes);
double Counted(const std::string& prediction, const References& golds);  // share of its integers that are right
double RetrievedParagraph(const std::string& prediction, const References& golds);  // "Paragraph 7", "段落7"
double CodeSimilarity(const std::string& prediction, const References& golds);
double ChoiceLetter(const std::string& prediction, const References& letters);  // v2

}  // namespace ltri

#endif  // LTRI_EVAL_SCORE_SCORERS_H_
