// Scorers against values of the reference implementations (rouge 1.0.1, rouge_score 0.1.2, NLTK 3, difflib of CPython
// 3.11, and the scorers of the benchmarks themselves).
#include "eval/score/scorers.h"

#include <gtest/gtest.h>

#include "eval/score/overlap.h"
#include "eval/score/porter_stemmer.h"
#include "eval/score/text_units.h"

namespace ltri {
namespace {

TEST(ScorersTest, EveryNameFindsItsScorer) {
  EXPECT_GT(ScorerNames().size(), 20U);
  for (const std::string& name : ScorerNames()) EXPECT_NE(FindScorer(name), nullptr) << name;
  EXPECT_EQ(FindScorer("magic"), nullptr);
  EXPECT_EQ(FindScorer("word_f1"), WordF1);
}

TEST(ScorersTest, NothingScoresWithoutGoldOrText) {
  for (const std::string& name : ScorerNames()) {
    const double score = FindScorer(name)("Some text 12.", {});
    EXPECT_EQ(score, 0.0) << name;
    EXPECT_GE(FindScorer(name)("", {"gold", "A"}), 0.0) << name;
  }
}

TEST(ScorersTest, Ruler) {
  EXPECT_EQ(StringMatchAll("… 1234567 and 7654320", {"1234567", "7654321"}), 0.5);
  EXPECT_EQ(StringMatchPart("It is PARIS.", {"Paris", "paris"}), 1.0);
  EXPECT_EQ(StringMatchAll(" \x01"
                           "a\x02"
                           "b",
                           {"a\nb"}),
            1.0);
  EXPECT_EQ(StringMatchPart("London", {"Paris"}), 0.0);
}

TEST(ScorersTest, BoxedAnswers) {
  const std::pair<const char*, const char*> cases[] = {
      {R"(x \boxed{Ann Fox} then \boxed{Bob Lee}.)", "Bob Lee"},
      {R"(\boxed{{Bob Lee}})", "Bob Lee"},
      {R"(\boxed{\text{Bob Lee}})", "Bob Lee"},
      {R"(\boxed{ Bob  Lee })", "Bob Lee"},
      {R"(\boxed{Bob~Lee})", "Bob Lee"},
      {R"(\boxed{'Bob Lee'})", "Bob Lee"},
      {R"(\boxed{O'Neil})", "ONeil"},
      {R"(\boxed{\textbf{Bob Lee}})", "textbf{Bob Lee}"},
      {R"(\boxed{Bob Lee (father)})", "Bob Lee (father)"},
      {R"(\boxed {Bob Lee})", "None"},
      {R"(\fbox{Bob Lee})", "None"},
      {R"(\boxed{Bob Lee)", "None"},
      {R"(\boxed{})", "None"},
      {"Bob Lee", "None"},
  };
  for (const auto& [text, answer] : cases) EXPECT_EQ(BoxedAnswer(text), answer) << text;
  EXPECT_EQ(Boxed(R"(\boxed{ Bob  Lee })", {"Bob Lee "}), 1.0);
  EXPECT_EQ(Boxed(R"(\boxed{Bob})", {"Bob Lee"}), 0.0);
}

TEST(ScorersTest, NeedleBenchFirstVersion) {
  const References needle = {"\nHidden on Amber Island is the legendary Glass Crown.\n", "Glass Crown"};
  const auto score = [&](const char* text) { return 100 * NeedleOrDistance(text, needle); };
  EXPECT_EQ(score("The legendary item hidden on the Amber Island is the legendary Glass Crown."), 100.0);
  EXPECT_NEAR(score("I do not know."), 3.63636, 1e-5);
  EXPECT_NEAR(score("Glass crown"), 4.09091, 1e-5);
  EXPECT_NEAR(score(""), 0.0, 1e-12);
  EXPECT_EQ(NeedleOrDistance("", {"", "x"}), 0.2);
  EXPECT_EQ(LowerKeywords("It is ann's Fox", {"Ann Fox"}), 1.0);
  EXPECT_EQ(KeywordShare("red crown, blue crown", {"red crown", "Blue crown"}), 0.5);
}

TEST(ScorersTest, Needle) {
  EXPECT_EQ(NumberToken("The number is 1234567.", {"1234567"}), 1.0);
  EXPECT_EQ(NumberToken("12345678", {"1234567"}), 1.0);  // the gold is a prefix of a word
  EXPECT_EQ(NumberToken("01234567", {"1234567"}), 0.0);
  EXPECT_EQ(WordRecall("eat a sandwich in the park", {"Eat a sandwich and sit in the sun."}), 5.0 / 8.0);
  // rouge_score with its stemmer.
  EXPECT_NEAR(StemmedRouge1("Eating sandwiches in Dolores Park is the best thing.",
                            {"The best thing to do in San Francisco is eat a sandwich and sit in Dolores Park on a "
                             "sunny day."}),
              0.6, 1e-9);
}

TEST(ScorersTest, PorterStemsAsNltkDoes) {
  const std::pair<const char*, const char*> cases[] = {{"caresses", "caress"},
                                                       {"ponies", "poni"},
                                                       {"ties", "tie"},
                                                       {"dies", "die"},
                                                       {"cats", "cat"},
                                                       {"feed", "feed"},
                                                       {"agreed", "agre"},
                                                       {"plastered", "plaster"},
                                                       {"motoring", "motor"},
                                                       {"sing", "sing"},
                                                       {"conflated", "conflat"},
                                                       {"troubled", "troubl"},
                                                       {"sized", "size"},
                                                       {"hopping", "hop"},
                                                       {"falling", "fall"},
                                                       {"hissing", "hiss"},
                                                       {"failing", "fail"},
                                                       {"filing", "file"},
                                                       {"happy", "happi"},
                                                       {"enjoy", "enjoy"},
                                                       {"sky", "sky"},
                                                       {"relational", "relat"},
                                                       {"conditional", "condit"},
                                                       {"rational", "ration"},
                                                       {"digitizer", "digit"},
                                                       {"radically", "radic"},
                                                       {"differently", "differ"},
                                                       {"vilely", "vile"},
                                                       {"analogously", "analog"},
                                                       {"vietnamization", "vietnam"},
                                                       {"predication", "predic"},
                                                       {"operator", "oper"},
                                                       {"feudalism", "feudal"},
                                                       {"decisiveness", "decis"},
                                                       {"hopefulness", "hope"},
                                                       {"callousness", "callous"},
                                                       {"formality", "formal"},
                                                       {"sensitivity", "sensit"},
                                                       {"triplicate", "triplic"},
                                                       {"formative", "form"},
                                                       {"formalize", "formal"},
                                                       {"electrical", "electr"},
                                                       {"goodness", "good"},
                                                       {"revival", "reviv"},
                                                       {"allowance", "allow"},
                                                       {"inference", "infer"},
                                                       {"airliner", "airlin"},
                                                       {"gyroscopic", "gyroscop"},
                                                       {"adjustable", "adjust"},
                                                       {"irritant", "irrit"},
                                                       {"replacement", "replac"},
                                                       {"adoption", "adopt"},
                                                       {"activate", "activ"},
                                                       {"effective", "effect"},
                                                       {"probate", "probat"},
                                                       {"rate", "rate"},
                                                       {"cease", "ceas"},
                                                       {"controlled", "control"},
                                                       {"roll", "roll"},
                                                       {"apology", "apolog"},
                                                       {"geology", "geolog"},
                                                       {"dying", "die"},
                                                       {"innings", "inning"},
                                                       {"sandwiches", "sandwich"},
                                                       {"sunny", "sunni"},
                                                       {"tried", "tri"},
                                                       {"tanned", "tan"},
                                                       {"owed", "owe"},
                                                       {"is", "is"},
                                                       {"by", "by"},
                                                       {"eating", "eat"},
                                                       {"lively", "live"},
                                                       {"publicly", "publicli"}};
  for (const auto& [word, stem] : cases) EXPECT_EQ(PorterStem(word), stem) << word;
}

TEST(ScorersTest, InfinityBench) {
  EXPECT_EQ(FirstInteger("The pass key is 71432.", {"71432"}), 1.0);
  EXPECT_EQ(FirstInteger("pass key 1: 71432", {"71432"}), 0.0);
  EXPECT_EQ(KeyValue("\"c14cb8ba-002b\" is it", {"c14cb8ba-002b"}), 1.0);
  EXPECT_EQ(KeyValue("c14cb8ba-002b-x", {"c14cb8ba-002b"}), 0.0);
  EXPECT_EQ(CodeRun("The return value is: -7", {"-7"}), 1.0);
  EXPECT_EQ(CodeRun("The value is 12.", {"12"}), 1.0);
  EXPECT_EQ(CodeRun("answer = 12)", {"12"}), 0.0);
  EXPECT_EQ(CodeDebug("C. cmd_gen", {"cmd_gen", "C"}), 1.0);
  EXPECT_EQ(CodeDebug("I think. The correct option is: C", {"cmd_gen", "C"}), 1.0);
  EXPECT_EQ(CodeDebug("The answer is C", {"cmd_gen", "C"}), 0.0);
  EXPECT_EQ(MathFind("The largest number is 88", {"88"}), 1.0);
  EXPECT_EQ(MathFind("48", {"48.0"}), 1.0);
  EXPECT_EQ(Dialogue("Ace Rothstein", {"ACE", "ACE ROTHSTEIN"}), 1.0);
  EXPECT_EQ(BookChoice("B. Hall Farm", {"Hall Farm", "B"}), 1.0);
  EXPECT_EQ(BookChoice("the answer is C", {"x", "C"}), 1.0);
  EXPECT_EQ(WordF1("the red stocking", {"stockings", "a red stocking"}), 1.0);
  EXPECT_NEAR(CharacterF1("田归农", {"田归农, 商老太"}), 0.6667, 5e-5);
  EXPECT_NEAR(MathCalc("[4, 8, 9]", {"4", "8", "7"}), 0.6667, 5e-5);
}

TEST(ScorersTest, RougeOverSentencesAndLines) {
  const char* said = "The cat sat.\nA dog ran far away.\nNobody saw the cat.";
  const char* gold = "A cat sat on the mat.\nThe dog ran away and nobody saw it.";
  EXPECT_NEAR(RougeLsum(said, {gold}), 0.6923076923076924, 1e-9);
  EXPECT_NEAR(RougeL(said, {gold}), 0.7199999950720002, 1e-9);
  EXPECT_EQ(RougeL("", {gold}), 0.0);
}

TEST(ScorersTest, LongBench) {
  EXPECT_NEAR(WordF1("The Eiffel Tower, in Paris", {"Eiffel Tower"}), 0.6667, 5e-5);
  EXPECT_EQ(Counted("12 or 13", {"12"}), 0.5);
  EXPECT_EQ(Classification("Location: City", {"City", "City", "State"}), 1.0);
  EXPECT_EQ(Classification("City or State", {"City", "City", "State"}), 0.5);
  EXPECT_EQ(Classification("big City", {"big City", "City", "big City"}), 1.0);  // a part of the gold does not count
  EXPECT_EQ(RetrievedParagraph("It is Paragraph 7", {"Paragraph 7"}), 1.0);
  EXPECT_EQ(RetrievedParagraph("段落12", {"段落12"}), 1.0);
  EXPECT_EQ(CodeSimilarity("\n# comment\n  return x + 1\n", {"  return x + 1"}), 1.0);
  EXPECT_EQ(ChoiceLetter("**The correct answer is (B)**", {"B"}), 1.0);
  EXPECT_EQ(ChoiceLetter("The correct answer is B.", {"B"}), 1.0);
  EXPECT_EQ(ChoiceLetter("B", {"B"}), 0.0);
}

TEST(ScorersTest, MatchingBlocksAsInDifflib) {
  EXPECT_NEAR(MatchingBlockRatio("for i in range(10):", "for index in range(len(x)):"), 0.7391304347826086, 1e-12);
  std::string a;
  std::string b;
  for (int i = 0; i < 40; ++i) {
    a += "x" + std::to_string(i * 7 % 40) + " = y;";
    b += "x" + std::to_string(i) + " = z;";
  }
  EXPECT_NEAR(MatchingBlockRatio(a, b), 0.16774193548387098, 1e-12);  // frequent characters start no block
}

TEST(TextUnitsTest, CharactersOfAllScripts) {
  EXPECT_EQ(Utf8(CodePoints("aé红😀")), "aé红😀");
  EXPECT_EQ(CodePoints("\xff"
                       "a"),
            U"\uFFFDa");
  EXPECT_EQ(Lower("ÉŁÑ ΑΒΓ ЖЁ"), "éłñ αβγ жё");
  EXPECT_EQ(Trim("\u3000 a b\n"), "a b");
  EXPECT_EQ(Words("a\u00a0b\u3000c"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(SplitAt("a,,b", ','), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(DigitRuns("a12 3,4"), (std::vector<std::string>{"12", "3", "4"}));
}

}  // namespace
}  // namespace ltri
