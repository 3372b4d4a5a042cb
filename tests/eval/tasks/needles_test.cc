// NIAH and NeedleBench.
#include <algorithm>
#include <set>

#include "eval/score/text_units.h"
#include "eval/tasks/kinship.h"
#include "eval/tasks/names.h"
#include "eval/tasks/task_fixture.h"

namespace ltri {
namespace {

using NeedlesTest = TaskFixture;

TEST_F(NeedlesTest, NiahHidesTheNumberAtItsDepth) {
  SuiteSettings settings;
  settings.lengths = {1000};
  settings.depths = {0, 0.5, 1};
  settings.samples = 2;
  const std::vector<Sample> samples = MakeAll(*PlanNiah(Context(), settings));
  ASSERT_EQ(samples.size(), 6U);
  for (const Sample& sample : samples) {
    ASSERT_EQ(sample.evidence.size(), 1U);
    EXPECT_EQ(EvidenceText(sample, 0), sample.references[0]);
    EXPECT_NEAR(static_cast<double>(sample.evidence[0].begin) / static_cast<double>(sample.prompt.size()), sample.depth,
                0.12);
    EXPECT_LE(Tokens(sample), 1005);
    EXPECT_EQ(Score(sample, " " + sample.references[0] + "."), 1.0);
    if (sample.depth == 1) continue;
    // Between sentences.
    const size_t needle = sample.prompt.find("\nThe special magic ");
    EXPECT_TRUE(Contains(".\n", sample.prompt.substr(needle - 2, 1))) << sample.prompt.substr(needle - 10, 10);
  }
  EXPECT_EQ(samples[0].source, "stand-in: gibbon-decline-and-fall.txt");
}

TEST_F(NeedlesTest, NiahTakesNeedlesFromAFile) {
  WriteFile(
      folder_ / "needles.jsonl",
      "{\"needle\": \"The cook hid the salt.\", \"question\": \"What did the cook hide?\", \"answer\": \"salt\"}\n");
  SuiteSettings settings;
  settings.lengths = {800};
  settings.depths = {0.3};
  settings.samples = 1;
  settings.needles = folder_ / "needles.jsonl";
  const std::vector<Sample> samples = MakeAll(*PlanNiah(Context(), settings));
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].task, "niah/own");
  EXPECT_EQ(EvidenceText(samples[0], 0), "salt");
  EXPECT_TRUE(samples[0].prompt.ends_with("\n\nQuestion: What did the cook hide?"));
  WriteFile(folder_ / "needles.jsonl", "{\"needle\": 1}\n");
  EXPECT_FALSE(PlanNiah(Context(), settings).ok());
}

TEST_F(NeedlesTest, NiahAsksPlainQuestions) {
  SuiteSettings settings;
  settings.tasks = {"question"};
  settings.lengths = {800};
  settings.depths = {0.5};
  settings.samples = 6;
  std::set<std::string> asked;
  for (const Sample& sample : MakeAll(*PlanNiah(Context(), settings))) {
    EXPECT_EQ(sample.task, "niah/question");
    ASSERT_EQ(sample.references.size(), 1U);
    ASSERT_EQ(sample.evidence.size(), 1U);
    EXPECT_EQ(EvidenceText(sample, 0), sample.references[0]);
    EXPECT_TRUE(sample.prompt.ends_with("?"));
    EXPECT_EQ(Score(sample, "It is " + sample.references[0] + "."), 1.0);
    EXPECT_EQ(Score(sample, "I do not know."), 0.0);
    asked.insert(sample.references[0]);
  }
  EXPECT_GT(asked.size(), 2U);
}

TEST_F(NeedlesTest, NeedleBenchInBothLanguages) {
  SuiteSettings settings;
  settings.lengths = {4000};
  settings.depths = {0.5};
  settings.samples = 1;
  const Result<Plan> plan = PlanNeedleBench(Context(), settings);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  const std::vector<Sample> samples = MakeAll(*plan);
  EXPECT_EQ(samples.size(), 2U * (1 + 1 + 4 + 9 * 4));
  for (const Sample& sample : samples) {
    if (sample.scorer == "boxed") {
      EXPECT_EQ(Score(sample, "So it is \\boxed{" + sample.references[0] + "}."), 1.0) << sample.task;
      continue;
    }
    EXPECT_LE(Tokens(sample), 4040) << sample.task;
    for (const std::string& gold : sample.references) EXPECT_TRUE(Contains(sample.prompt, gold)) << sample.task;
    EXPECT_EQ(sample.evidence.size(), sample.references.size());
    EXPECT_EQ(Score(sample, Join(sample.references, " ")), 1.0);
  }
}

TEST_F(NeedlesTest, OfficialNeedlesAndNames) {
  std::string rows;
  for (int i = 0; i < 12; ++i) {
    rows += "{\"needle\": \"Hidden on Isle " + std::to_string(i) + " is the legendary Orb " + std::to_string(i) +
            "x.\", \"retrieval_question\": \"What legendary item is hidden on Isle " + std::to_string(i) +
            "? Please answer in the format 'The legendary item hidden on the Isle " + std::to_string(i) +
            " is ________.'\", \"arg1\": \"Isle\", \"arg2\": \"Orb " + std::to_string(i) +
            "x\", \"language\": \"English\"}\n";
  }
  WriteFile(folder_ / "needlebench/needles.jsonl", rows);
  SuiteSettings settings;
  settings.tasks = {"single_retrieval"};
  settings.languages = {"en"};
  settings.lengths = {1000};
  settings.depths = {1};
  settings.samples = 1;
  const std::vector<Sample> samples = MakeAll(*PlanNeedleBench(Context(), settings));
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_TRUE(samples[0].references[0].starts_with("Orb "));
  EXPECT_TRUE(samples[0].answer_prefix.starts_with("\n\nThe legendary item hidden on the Isle "));
  EXPECT_TRUE(samples[0].answer_prefix.ends_with(" is"));
  EXPECT_TRUE(Contains(samples[0].prompt, "?Please answer in the format of 'The legendary item hidden on"));
}

TEST(KinshipTest, ChainsAndTheirQuestions) {
  for (const std::string language : {"en", "zh"}) {
    Random random(5);
    const Kinship chain = DrawKinship(random, language, PersonNames(language), 20);
    ASSERT_EQ(chain.names.size(), 21U);
    ASSERT_EQ(chain.sentences.size(), 20U);
    for (size_t i = 0; i < 20; ++i) {
      EXPECT_TRUE(Contains(chain.sentences[i], chain.names[i]));
      EXPECT_TRUE(Contains(chain.sentences[i], chain.names[i + 1]));
    }
    EXPECT_GE(chain.generations, 20);
    EXPECT_LE(chain.generations, 40);
    const auto answer = [&](KinshipQuestion question) { return AskKinship(language, question, chain).answer; };
    EXPECT_EQ(answer(KinshipQuestion::kEldestAncestor), chain.names.front());
    EXPECT_EQ(answer(KinshipQuestion::kNthAncestor), chain.names.front());
    EXPECT_EQ(answer(KinshipQuestion::kNthDescendant), chain.names.back());
    EXPECT_EQ(answer(KinshipQuestion::kDistance), std::to_string(chain.generations));
    const KinshipPrompt asked = AskKinship(language, KinshipQuestion::kNthDescendant, chain);
    EXPECT_TRUE(Contains(asked.after, chain.names.front()));
    EXPECT_TRUE(Contains(asked.after, std::to_string(chain.generations)));
    EXPECT_TRUE(Contains(asked.before, "\\boxed{}"));
    EXPECT_FALSE(Contains(asked.before, "{{")) << asked.before;
  }
}

}  // namespace
}  // namespace ltri
