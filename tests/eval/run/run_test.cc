// Runner, store and server target, with targets that need no model.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "base/http_library.h"
#include "eval/report/summary.h"
#include "eval/run/runner.h"
#include "support/temporary_folder.h"

namespace ltri {
namespace {

using Json = nlohmann::ordered_json;

// Answers with the gold while it knows it.
class FakeTarget : public Target {
 public:
  FakeTarget(std::string name, int64_t right) : name_(std::move(name)), right_(right) {}
  const std::string& name() const override { return name_; }
  Json Settings() const override { return {{"right", right_}}; }
  Result<TrialAnswer> Ask(const Sample& sample, const ProgressCallback& progress) override {
    ++asked;
    if (!progress({1, 2, 0.1})) return Error{ErrorCode::kCancelled, "stopped"};
    TrialAnswer answer;
    answer.text = sample.index < right_ ? sample.references[0] : "no \"idea\"\n\xff";
    answer.prompt_tokens = 100;
    answer.prefill_seconds = 2;
    answer.heads_first = {0.25F, 0.75F, 1.0F, 1.0F};
    answer.heads_mean = {0.5F, 0.5F, 1.0F, 0.0F};
    return answer;
  }
  int asked = 0;

 private:
  std::string name_;
  int64_t right_;
};

Plan TinyPlan(int64_t samples) {
  Plan plan;
  for (int64_t i = 0; i < samples; ++i) {
    Sample sample;
    sample.task = "fake/task";
    sample.source = "synthetic";
    sample.index = i;
    sample.references = {"gold" + std::to_string(i)};
    sample.scorer = "string_match_all";
    sample.max_tokens = 5;
    plan.samples.push_back({sample.task, 0, SampleId(sample), [sample] { return sample; }});
  }
  return plan;
}

ModelInfo TwoLayers() {
  ModelInfo info;
  info.layers = 2;
  info.heads = 2;
  info.full_attention = {true, true};
  return info;
}

struct TwoTargets {
  std::vector<std::unique_ptr<Target>> targets;
  FakeTarget* good;
  FakeTarget* poor;
  TwoTargets() {
    targets.push_back(std::make_unique<FakeTarget>("good", 4));
    targets.push_back(std::make_unique<FakeTarget>("poor", 1));
    good = static_cast<FakeTarget*>(targets[0].get());
    poor = static_cast<FakeTarget*>(targets[1].get());
  }
};

TEST(RunnerTest, AsksEveryTargetEverySample) {
  TwoTargets run;
  const ModelInfo info = TwoLayers();
  RunOptions options;
  options.model = &info;
  options.table = {0, 0, 1, 3};
  int cells = 0;
  options.cell_done = [&](const std::vector<Record>& records) { cells += static_cast<int>(records.size()); };
  ResultsStore store;
  ASSERT_TRUE(RunPlan(TinyPlan(4), run.targets, options, store).ok());
  EXPECT_EQ(cells, 8);
  ASSERT_EQ(store.records().size(), 8U);
  EXPECT_EQ(store.records()[0].recall_first, 1.0);
  EXPECT_EQ(store.records()[0].recall, 0.25);
  const Summary summary = Summarize(store.records(), {"good", "poor"}, info.heads);
  EXPECT_EQ(summary.targets[0].figures.score, 1.0);
  EXPECT_EQ(summary.targets[1].figures.score, 0.25);
  EXPECT_EQ(summary.targets[0].figures.prefill_rate, 50);
  EXPECT_EQ(summary.targets[0].layer_recall, (std::vector<float>{0.5F, 1.0F}));
  EXPECT_EQ(summary.targets[1].figures.use.not_found, 3);
  EXPECT_EQ(summary.targets[1].figures.use.right_all_the_same, 1);
}

TEST(RunnerTest, GoesOnWhereItStopped) {
  const TemporaryFolder folder;
  const Json about = {{"eval", "test"}};
  {
    TwoTargets run;
    RunOptions options;
    options.watch = [](const RunState& state) { return state.done < 3; };
    Result<ResultsStore> store = ResultsStore::Open(folder / "run", about, false);
    ASSERT_TRUE(store.ok()) << store.error().message;
    const Status status = RunPlan(TinyPlan(4), run.targets, options, *store);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
    EXPECT_NE(status.error().message.find("3 of 8"), std::string::npos);
  }
  EXPECT_FALSE(ResultsStore::Open(folder / "run", about, false).ok());               // not without --resume
  EXPECT_FALSE(ResultsStore::Open(folder / "run", {{"eval", "other"}}, true).ok());  // nor for another run
  const std::string path = folder / "run/samples.jsonl";
  WriteFile(path, ReadFile(path) + "{\"target\": \"good\", \"cut off");
  TwoTargets run;
  Result<ResultsStore> store = ResultsStore::Open(folder / "run", about, true);
  ASSERT_TRUE(store.ok()) << store.error().message;
  EXPECT_EQ(store->records().size(), 3U);
  ASSERT_TRUE(RunPlan(TinyPlan(4), run.targets, {}, *store).ok());
  EXPECT_EQ(run.good->asked, 1);
  EXPECT_EQ(run.poor->asked, 4);
  const Result<StoredRun> stored = ReadRun(folder / "run");
  ASSERT_TRUE(stored.ok()) << stored.error().message;
  EXPECT_EQ(stored->run, about);
  ASSERT_EQ(stored->records.size(), 8U);
  EXPECT_EQ(stored->records[7].answer.text, "no \"idea\"\n\uFFFD");
  EXPECT_EQ(stored->records[7].answer.heads_first, (std::vector<float>{0.25F, 0.75F, 1.0F, 1.0F}));
}

TEST(ResultsStoreTest, FolderThatCannotBe) {
  const TemporaryFolder folder;
  WriteFile(folder / "file", "x");
  const Result<ResultsStore> store = ResultsStore::Open(folder / "file/run", {}, false);
  ASSERT_FALSE(store.ok());
  EXPECT_NE(store.error().message.find("--output"), std::string::npos);
}

// A server that answers as OpenAI's.
class FakeServer {
 public:
  FakeServer() {
    const auto answer = [this](const httplib::Request& request, httplib::Response& response) {
      last = Json::parse(request.body);
      last["path"] = request.path;
      last["key"] = request.get_header_value("Authorization");
      Json body = {{"usage", {{"prompt_tokens", 12}, {"completion_tokens", 3}}}};
      body["choices"] = {{{"text", " gold"}, {"message", {{"content", " gold"}}}}};
      response.set_content(broken ? "{}" : body.dump(), "application/json");
    };
    server_.Post("/v1/completions", answer);
    server_.Post("/v1/chat/completions", answer);
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    server_.wait_until_ready();
  }
  ~FakeServer() {
    server_.stop();
    thread_.join();
  }
  std::string Url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  Json last;
  bool broken = false;

 private:
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
};

TEST(ServerTargetTest, CompletesAndChats) {
  FakeServer server;
  Sample sample;
  sample.prompt = "Where?";
  sample.answer_prefix = " It is";
  sample.max_tokens = 7;
  ServerOptions options{server.Url() + "/", "some-model", "secret"};
  Result<std::unique_ptr<Target>> target = MakeServerTarget(options);
  ASSERT_TRUE(target.ok()) << target.error().message;
  Result<TrialAnswer> answer = (*target)->Ask(sample, {});
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->text, " gold");
  EXPECT_EQ(answer->prompt_tokens, 12);
  EXPECT_EQ(answer->answer_tokens, 3);
  EXPECT_EQ(server.last["prompt"], "Where? It is");
  EXPECT_EQ(server.last["model"], "some-model");
  EXPECT_EQ(server.last["temperature"], 0);
  EXPECT_EQ(server.last["max_tokens"], 7);
  EXPECT_EQ(server.last["key"], "Bearer secret");
  EXPECT_EQ((*target)->Settings().dump().find("secret"), std::string::npos);  // never kept

  options.chat = true;
  answer = (*MakeServerTarget(options))->Ask(sample, {});
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(server.last["path"], "/v1/chat/completions");
  EXPECT_EQ(server.last["messages"][0]["content"], "Where?");
  EXPECT_EQ(server.last["messages"][1]["content"], " It is");
}

TEST(ServerTargetTest, SaysWhatIsWrong) {
  EXPECT_FALSE(MakeServerTarget({"localhost:8080"}).ok());
  FakeServer server;
  const auto error = [&](const std::string& url) {
    const Result<TrialAnswer> answer = (*MakeServerTarget({url}))->Ask(Sample{}, {});
    return answer.ok() ? std::string("none") : answer.error().message;
  };
  EXPECT_NE(error(server.Url() + "/nothing").find("status 404"), std::string::npos);
  EXPECT_NE(error("http://127.0.0.1:1").find("http://127.0.0.1:1/v1/completions"), std::string::npos);
  server.broken = true;
  EXPECT_NE(error(server.Url()).find("not an answer as OpenAI's"), std::string::npos);
}

}  // namespace
}  // namespace ltri
