#include "eval/tasks/ruler.h"

#include <algorithm>
#include <map>

#include "eval/score/text_units.h"
#include "eval/tasks/task_fixture.h"

namespace ltri {
namespace {

using RulerTest = TaskFixture;

SuiteSettings Settings(std::vector<std::string> tasks, int64_t length = 1600, int64_t samples = 3) {
  return SettingsOf(std::move(tasks), length, samples);
}

TEST_F(RulerTest, TwelveTasksFitTheirLength) {
  const Result<Plan> plan = PlanRuler(Context(), Settings({}));
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  ASSERT_EQ(plan->skipped.size(), 1U);
  EXPECT_EQ(plan->skipped[0].task, "ruler/qa_2");
  EXPECT_TRUE(Contains(plan->skipped[0].reason, "hotpotqa.json"));
  std::map<std::string, int> tasks;
  for (const Sample& sample : MakeAll(*plan)) {
    ++tasks[sample.task];
    EXPECT_LE(Tokens(sample), 1600) << sample.task;
    EXPECT_GT(Tokens(sample), 1100) << sample.task;
    EXPECT_FALSE(sample.references.empty()) << sample.task;
    EXPECT_NE(FindScorer(sample.scorer), nullptr) << sample.scorer;
    for (const std::string& gold : sample.references) {
      EXPECT_TRUE(Contains(Lower(sample.prompt), Lower(gold))) << sample.task << gold;
    }
    EXPECT_EQ(Score(sample, Join(sample.references, ", ")), 1.0) << sample.task;
    EXPECT_EQ(Score(sample, "nothing"), 0.0) << sample.task;
  }
  EXPECT_EQ(tasks.size(), 12U);
}

TEST_F(RulerTest, EvidenceIsWhatIsAskedFor) {
  for (const Sample& sample : MakeAll(*PlanRuler(Context(), Settings({"niah_multivalue", "niah_multiquery"})))) {
    ASSERT_EQ(sample.evidence.size(), 4U);
    std::vector<std::string> marked;
    for (size_t i = 0; i < 4; ++i) marked.push_back(EvidenceText(sample, i));
    std::vector<std::string> golds = sample.references;
    std::sort(marked.begin(), marked.end());
    std::sort(golds.begin(), golds.end());
    EXPECT_EQ(marked, golds);
  }
  for (const Sample& sample : MakeAll(*PlanRuler(Context(), Settings({"vt"})))) {
    ASSERT_EQ(sample.evidence.size(), 5U);
    for (size_t i = 0; i < 5; ++i)
      EXPECT_TRUE(Contains(EvidenceText(sample, i), "VAR " + sample.references[i] + " = "));
  }
}

TEST_F(RulerTest, OneNeedleIsAskedForInTheSingular) {
  const std::vector<Sample> samples = MakeAll(*PlanRuler(Context(), Settings({"niah_single_1"}, 1600, 1)));
  ASSERT_EQ(samples.size(), 1U);
  const Sample& sample = samples[0];
  EXPECT_TRUE(
      sample.prompt.starts_with("A special magic number is hidden within the following text. Make sure to "
                                "memorize it. I will quiz you about the number afterwards.\nThe grass is green."));
  EXPECT_TRUE(Contains(sample.prompt, "\nOne of the special magic numbers for "));
  EXPECT_TRUE(Contains(sample.prompt, "\nWhat is the special magic number for "));
  EXPECT_TRUE(sample.answer_prefix.starts_with(" The special magic number for "));
  EXPECT_TRUE(sample.answer_prefix.ends_with(" mentioned in the provided text is"));
}

TEST_F(RulerTest, SamplesDependOnTheirSeedAlone) {
  const auto prompts = [&](uint64_t seed, int64_t samples) {
    return MakeAll(*PlanRuler(Context(false, seed), Settings({"niah_multikey_3"}, 1600, samples)));
  };
  EXPECT_EQ(prompts(1, 3)[1].prompt, prompts(1, 2)[1].prompt);
  EXPECT_NE(prompts(1, 2)[1].prompt, prompts(2, 2)[1].prompt);
  EXPECT_NE(prompts(1, 2)[0].prompt, prompts(1, 2)[1].prompt);
}

TEST_F(RulerTest, FrequentWordsAreFrequent) {
  for (const Sample& sample : MakeAll(*PlanRuler(Context(), Settings({"cwe", "fwe"}, 4000, 2)))) {
    std::map<std::string, int> counts;
    const size_t begin = sample.task == "ruler/cwe" ? sample.prompt.rfind("Below is") : 0;
    for (const std::string& word : Words(sample.prompt.substr(begin))) ++counts[word];
    for (const std::string& gold : sample.references) EXPECT_GE(counts[gold], 6) << sample.task << gold;
  }
}

TEST_F(RulerTest, QuestionsComeInFileOrderWithTheirParagraph) {
  const std::vector<Sample> samples = MakeAll(*PlanRuler(Context(), Settings({"qa_1"}, 400, 2)));
  ASSERT_EQ(samples.size(), 2U);
  EXPECT_TRUE(Contains(samples[0].prompt, "Question: What is the capital of France?"));
  EXPECT_TRUE(Contains(samples[0].prompt, "Document 1:\n"));
  EXPECT_EQ(EvidenceText(samples[0], 0), "Paris");
  EXPECT_EQ(samples[0].source, "stand-in: dev-v2.0-half.json");
  EXPECT_EQ(samples[1].references, (References{"Rome", "rome"}));
}

TEST_F(RulerTest, PreparedSamplesAreTakenAsTheyAre) {
  std::filesystem::create_directories(folder_ / "ruler/4096/vt");
  WriteFile(folder_ / "ruler/4096/vt/validation.jsonl",
            R"({"index": 0, "input": "VAR A = 1", "answer_prefix": " Answer:", "outputs": ["A"], "length": 4000})"
            "\n");
  const std::vector<Sample> samples = MakeAll(*PlanRuler(Context(), Settings({"vt"}, 4096)));
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].prompt, "VAR A = 1");
  EXPECT_TRUE(samples[0].source.starts_with("official: validation.jsonl (sha256 "));
  EXPECT_EQ(samples[0].scorer, "string_match_all");
}

TEST_F(RulerTest, WrongSettingsAreNamed) {
  const Result<Plan> unknown = PlanRuler(Context(), Settings({"magic"}));
  ASSERT_FALSE(unknown.ok());
  EXPECT_TRUE(Contains(unknown.error().message, "'magic' is none of niah_single_1"));
  const Result<Sample> small = PlanRuler(Context(), Settings({"vt"}, 100))->samples[0].make();
  ASSERT_FALSE(small.ok());
  EXPECT_TRUE(Contains(small.error().message, "100 are too few"));
}

}  // namespace
}  // namespace ltri
