#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "eval/report/compare.h"
#include "eval/report/html_report.h"
#include "eval/report/text_table.h"

namespace ltri {
namespace {

Record MakeRecord(const std::string& target, const std::string& task, int64_t index, double score, double depth = -1) {
  Record record;
  record.target = target;
  record.task = task;
  record.id = task + "/" + std::to_string(index);
  record.source = "stand-in: a <book>.txt";
  record.length = 1000;
  record.depth = depth;
  record.score = score;
  record.recall = record.recall_first = score;
  record.references = {"x"};
  record.answer.heads_first = {0.5F, 1.0F};
  return record;
}

TEST(StatisticsTest, WilsonIntervals) {
  // R: binom::binom.wilson(8, 10) and (0, 20).
  EXPECT_NEAR(WilsonInterval(0.8, 10).low, 0.4901625, 1e-6);
  EXPECT_NEAR(WilsonInterval(0.8, 10).high, 0.9433178, 1e-6);
  EXPECT_NEAR(WilsonInterval(0, 20).high, 0.1611252, 1e-6);
  EXPECT_EQ(WilsonInterval(0, 20).low, 0.0);
}

TEST(StatisticsTest, BootstrapIsSeededAndCoversTheMean) {
  std::vector<double> values;
  for (int i = 0; i < 100; ++i) values.push_back(i % 4 == 0 ? 1.0 : 0.0);
  const Interval interval = BootstrapInterval({values});
  // The normal approximation: 0.25 +- 1.96 * sqrt(0.25 * 0.75 / 100).
  EXPECT_NEAR(interval.low, 0.165, 0.02);
  EXPECT_NEAR(interval.high, 0.335, 0.02);
  EXPECT_EQ(BootstrapInterval({values}).low, interval.low);
  EXPECT_EQ(MeanOfMeans({{1, 1, 1}, {0}, {}}), 0.5);
}

TEST(NeedleBenchScoreTest, WeightsOfThePublishedTable) {
  // Claude-3.7-Sonnet-Thinking in the paper's table.
  const std::map<int64_t, double> scores = {{2, 1},    {4, 1},      {8, 0.925},   {16, 0.925}, {32, 0.675},
                                            {64, 0.4}, {128, 0.15}, {256, 0.075}, {512, 0.025}};
  EXPECT_NEAR(100 * WeightedByNeedles(scores, 64), 59.84, 0.005);
  EXPECT_NEAR(100 * WeightedByNeedles(scores, 512), 12.39, 0.005);
  EXPECT_EQ(EffectiveNeedles(scores), 32);
  EXPECT_EQ(WeightedByNeedles({}, 512), -1.0);
}

TEST(NeedleBenchScoreTest, MeanOfTheThreeTasks) {
  std::vector<Record> records = {MakeRecord("m", "needlebench/single_retrieval_en", 0, 1),
                                 MakeRecord("m", "needlebench/multi_retrieval_en", 0, 0.5),
                                 MakeRecord("m", "needlebench/multi_reasoning_en_2", 0, 0),
                                 MakeRecord("m", "needlebench/ancestral_trace_en_4", 0, 1)};
  const std::vector<NeedleBenchScore> scores = NeedleBenchScores(Summarize(records, {"m"}, 1));
  ASSERT_EQ(scores.size(), 1U);
  EXPECT_EQ(scores[0].overall, 0.5);
  EXPECT_EQ(scores[0].trace, 1.0);
  EXPECT_EQ(scores[0].effective_needles, 4);
}

TEST(CompareTest, NoiseIsNotAGain) {
  std::vector<Record> before;
  std::vector<Record> after;
  for (int64_t i = 0; i < 40; ++i) {
    before.push_back(MakeRecord("a", "clear", i, 0));
    after.push_back(MakeRecord("b", "clear", i, i % 2 == 0 ? 1 : 0));
    before.push_back(MakeRecord("a", "noise", i, i % 2 == 0 ? 1 : 0));
    after.push_back(MakeRecord("b", "noise", i, i % 2 == 0 ? 0 : 1));
  }
  after.push_back(MakeRecord("b", "clear", 99, 1));  // not in both: does not count
  const Result<std::vector<Difference>> result = Compare(before, after);
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->size(), 3U);
  EXPECT_EQ((*result)[0].pairs, 40);
  EXPECT_TRUE((*result)[0].is_clear());
  EXPECT_GT((*result)[0].interval.low, 0.3);
  EXPECT_FALSE((*result)[1].is_clear());
  EXPECT_NEAR((*result)[2].after - (*result)[2].before, 0.25, 1e-12);
  const std::string table = ComparisonTable(*result);
  EXPECT_NE(table.find("better"), std::string::npos);
  EXPECT_NE(table.find("not told apart"), std::string::npos);
  after[0].references = {"y"};
  EXPECT_FALSE(Compare(before, after).ok());  // other samples under the same names
  EXPECT_FALSE(Compare(before, {}).ok());
}

TEST(ReportTest, PageAndJson) {
  std::vector<Record> records;
  for (int64_t i = 0; i < 4; ++i)
    records.push_back(MakeRecord("ltri", "niah/number", i, i % 2 == 0 ? 1 : 0, 0.25 * static_cast<double>(i)));
  EvalReport report;
  report.title = "ltri eval <test>";
  report.run = {{"seed", 3}};
  report.summary = Summarize(records, {"ltri"}, 1);
  report.skipped = {{"ruler/qa_2", "no file"}};
  const nlohmann::ordered_json json = ResultsJson(report);
  EXPECT_EQ(json["summary"][0]["method"], "ltri");
  EXPECT_EQ(json["summary"][0]["score"], 0.5);
  EXPECT_EQ(json["tasks"][0]["source"], "stand-in: a <book>.txt");
  EXPECT_EQ(json["depths"].size(), 4U);
  EXPECT_EQ(json["summary"][0]["evidence"]["found_and_used"], 2);
  EXPECT_FALSE(json["complete"].get<bool>());
  const std::string html = HtmlReport(report);
  EXPECT_NE(html.find("<h1>ltri eval &lt;test&gt;</h1>"), std::string::npos);
  EXPECT_NE(html.find("niah/number [stand-in: a &lt;book&gt;.txt]"), std::string::npos);
  EXPECT_NE(html.find("skipped: no file"), std::string::npos);
  EXPECT_NE(html.find("Stopped before the end"), std::string::npos);
  size_t pictures = 0;
  for (size_t at = 0; (at = html.find("<svg ", at)) != std::string::npos; ++at) ++pictures;
  EXPECT_EQ(pictures, 2U);                          // recall by layer, and a heat map
  EXPECT_EQ(html.find("src="), std::string::npos);  // nothing from elsewhere
  const std::string line = TaskTableLine(report.summary.tasks[0]);
  EXPECT_NE(line.find("niah/number *"), std::string::npos) << line;  // never the bare name
}

}  // namespace
}  // namespace ltri
