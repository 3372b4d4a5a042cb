// Infinity-Bench made anew, and from files; LongBench from files.
#include "eval/tasks/infinite_bench.h"

#include <cstdlib>
#include <map>

#include "eval/score/text_units.h"
#include "eval/tasks/task_fixture.h"

namespace ltri {
namespace {

using InfiniteBenchTest = TaskFixture;

SuiteSettings Settings(std::vector<std::string> tasks, int64_t length = 2000, int64_t samples = 4) {
  return SettingsOf(std::move(tasks), length, samples);
}

TEST_F(InfiniteBenchTest, SixTasksAreMadeAndSixNeedFiles) {
  const Result<Plan> plan = PlanInfiniteBench(Context(), Settings({}));
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan->skipped.size(), 6U);
  const std::vector<Sample> samples = MakeAll(*plan);
  EXPECT_EQ(samples.size(), 24U);
  for (const Sample& sample : samples) {
    EXPECT_LE(Tokens(sample), 2000) << sample.task;
    EXPECT_GT(Tokens(sample), 1600) << sample.task;
    EXPECT_EQ(sample.source, "synthetic");
    EXPECT_FALSE(Contains(sample.prompt + sample.answer_prefix,
                          "{"
                          "input}"))
        << sample.prompt.substr(0, 200);
    EXPECT_EQ(Score(sample, Join(sample.references, ", ")), 1.0) << sample.task;
    for (const ByteRange& range : sample.evidence) EXPECT_LT(range.begin, range.end);
  }
}

TEST_F(InfiniteBenchTest, HiddenNumbersAreMarkedAndSpread) {
  std::vector<double> places;
  for (const Sample& sample : MakeAll(*PlanInfiniteBench(Context(), Settings({"passkey", "number_string"})))) {
    ASSERT_EQ(sample.evidence.size(), 2U);
    EXPECT_EQ(EvidenceText(sample, 0), sample.references[0]);
    EXPECT_EQ(EvidenceText(sample, 1), sample.references[0]);
    if (sample.task == "infinitebench/passkey") places.push_back(static_cast<double>(sample.evidence[0].begin));
    EXPECT_EQ(sample.references[0].size(), sample.task == "infinitebench/passkey" ? 5U : 10U);
  }
  EXPECT_LT(places[0], places[1]);
  EXPECT_NE(places[1], places[2]);
}

TEST_F(InfiniteBenchTest, ValuesBelongToTheirKeys) {
  for (const Sample& sample : MakeAll(*PlanInfiniteBench(Context(), Settings({"kv_retrieval"})))) {
    const size_t at = sample.prompt.find("Key: \"") + 6;
    const std::string key = sample.prompt.substr(at, 36);
    EXPECT_TRUE(Contains(sample.prompt, "\"" + key + "\": \"" + sample.references[0] + "\""));
    EXPECT_EQ(EvidenceText(sample, 0), sample.references[0]);
  }
}

// The functions of a prompt, read as a person would: index -> (what it calls or -1, what it adds).
std::map<int, std::pair<int, int>> Functions(const std::string& prompt) {
  std::map<int, std::pair<int, int>> functions;
  for (size_t at = 0; (at = prompt.find("def func_", at)) != std::string::npos;) {
    at += 9;
    const int index = std::atoi(prompt.c_str() + at);
    const size_t body = prompt.find("return ", at) + 7;
    const std::string line = prompt.substr(body, prompt.find('\n', body) - body);
    const int calls = line.starts_with("func_") ? std::atoi(line.c_str() + 5) : -1;
    const size_t sign = line.find_first_of("+-");
    int adds = 0;
    if (sign != std::string::npos) adds = std::atoi(line.c_str() + sign + 2) * (line[sign] == '-' ? -1 : 1);
    functions[index] = {calls, adds};
  }
  return functions;
}

TEST_F(InfiniteBenchTest, CodeGivesItsValue) {
  for (const Sample& sample : MakeAll(*PlanInfiniteBench(Context(), Settings({"code_run"}, 2000, 5)))) {
    const auto functions = Functions(sample.prompt);
    const size_t call = sample.prompt.rfind("value of func_") + 14;
    int index = std::atoi(sample.prompt.c_str() + call);
    int value = std::atoi(sample.prompt.c_str() + sample.prompt.find('(', call) + 1);
    size_t steps = 0;
    for (; index >= 0; index = functions.at(index).first, ++steps) value += functions.at(index).second;
    EXPECT_EQ(std::to_string(value), sample.references[0]);
    EXPECT_EQ(sample.evidence.size(), steps);
    EXPECT_EQ(static_cast<int64_t>(steps), 2 + 2 * sample.index);
  }
}

TEST_F(InfiniteBenchTest, SumsAreRight) {
  for (const Sample& sample : MakeAll(*PlanInfiniteBench(Context(), Settings({"math_calc"})))) {
    const std::vector<std::string> words = Words(sample.prompt.substr(sample.prompt.rfind("Expression: ") + 12));
    int value = std::atoi(words[0].c_str());
    EXPECT_TRUE(sample.answer_prefix.ends_with("[" + words[0] + ","));
    for (size_t i = 1; i + 1 < words.size(); i += 2) {
      value += std::atoi(words[i + 1].c_str()) * (words[i] == "-" ? -1 : 1);
      EXPECT_EQ(sample.references[i / 2], std::to_string(value));
      EXPECT_GE(value, 0);
      EXPECT_LE(value, 99);
    }
  }
}

TEST_F(InfiniteBenchTest, OfficialFilesAreCutInTheMiddle) {
  std::string context;
  for (int i = 0; i < 900; ++i) context += "word" + std::to_string(i) + " ";
  WriteFile(folder_ / "infinitebench/longbook_choice_eng.jsonl",
            R"({"id": 1, "context": ")" + context +
                R"(", "input": "Who?", "answer": ["Ann"], "options": ["Bob", "Ann", "Eve", "Tom"]})"
                "\n");
  const std::vector<Sample> samples =
      MakeAll(*PlanInfiniteBench(Context(true), Settings({"longbook_choice_eng"}, 600)));
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].references, (References{"Ann", "B"}));
  EXPECT_LE(Tokens(samples[0]), 605);
  EXPECT_TRUE(Contains(samples[0].prompt, "word0 "));
  EXPECT_TRUE(Contains(samples[0].prompt, "word899 "));
  EXPECT_FALSE(Contains(samples[0].prompt, "word450 "));
  EXPECT_TRUE(samples[0].prompt.ends_with("A. Bob\nB. Ann\nC. Eve\nD. Tom"));
  EXPECT_TRUE(samples[0].source.starts_with("official: longbook_choice_eng.jsonl (sha256 "));
  EXPECT_TRUE(samples[0].answer_prefix.empty());
}

TEST_F(InfiniteBenchTest, LongBenchFromFiles) {
  WriteFile(folder_ / "longbench/trec.jsonl",
            R"({"input": "Question: Where?\nType:", "context": "Question: Who?\nType: Human", "answers": ["Location"],)"
            R"( "length": 10, "dataset": "trec", "language": "en", "all_classes": ["Location", "Human"], "_id": "1"})"
            "\n");
  const Result<Plan> plan = PlanLongBench(Context(), Settings({"trec", "v2"}, 0));
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  ASSERT_EQ(plan->skipped.size(), 1U);
  EXPECT_EQ(plan->skipped[0].task, "longbench-v2");
  const std::vector<Sample> samples = MakeAll(*plan);
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_TRUE(samples[0].plain);
  EXPECT_EQ(Score(samples[0], "\nLocation\nHuman"), 1.0);  // only the first line counts
  WriteFile(folder_ / "longbench/trec.jsonl", "{\"input\": \"x\"}\n");
  const Result<Plan> damaged = PlanLongBench(Context(), Settings({"trec"}, 0));
  ASSERT_FALSE(damaged.ok());
  EXPECT_TRUE(Contains(damaged.error().message, "line 1"));
}

TEST_F(InfiniteBenchTest, SamplesSurviveTheirFile) {
  for (const Sample& sample : MakeAll(*PlanInfiniteBench(Context(), Settings({"kv_retrieval"}, 600, 1)))) {
    const Result<Sample> read = SampleFromJson(SampleJson(sample));
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(SampleJson(*read), SampleJson(sample));
    EXPECT_EQ(SampleId(*read), SampleId(sample));
  }
  EXPECT_FALSE(SampleFromJson({{"input", "x"}}).ok());
  EXPECT_FALSE(SampleFromJson({{"input", "x"}, {"outputs", {"y"}}, {"scorer", "magic"}}).ok());
  EXPECT_FALSE(SampleFromJson({{"input", "x"}, {"outputs", {"y"}}, {"evidence_bytes", {{0, 5}}}}).ok());
}

}  // namespace
}  // namespace ltri
