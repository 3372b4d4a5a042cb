// A context for generators: an estimate of tokens, and a folder with a small book, word lists and questions.
#ifndef LTRI_TESTS_EVAL_TASKS_TASK_FIXTURE_H_
#define LTRI_TESTS_EVAL_TASKS_TASK_FIXTURE_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "eval/tasks/suites.h"
#include "support/temporary_folder.h"

namespace ltri {

inline SuiteSettings SettingsOf(std::vector<std::string> tasks, int64_t length, int64_t samples) {
  SuiteSettings settings;
  settings.tasks = std::move(tasks);
  settings.lengths = {length};
  settings.samples = samples;
  return settings;
}

class TaskFixture : public ::testing::Test {
 protected:
  TaskFixture() {
    for (const char* name : {"text", "wordlists", "squad", "infinitebench", "longbench", "ruler", "needlebench"}) {
      std::filesystem::create_directory(folder_ / name);
    }
    std::string book;
    std::string chinese;
    for (int chapter = 0; chapter < 12; ++chapter) {
      for (int i = 0; i < 60; ++i) {
        book += "The sailor number " + std::to_string(chapter * 100 + i) + " saw a whale near the island. ";
        chinese += "第" + std::to_string(chapter * 100 + i) + "回有一人乘船出海．";
      }
      book += "\n\n\n";
      chinese += "\n\n\n";
    }
    WriteFile(folder_ / "text/gibbon-decline-and-fall.txt", book);
    WriteFile(folder_ / "text/cao-dream-of-the-red-chamber.zh.txt", chinese);
    std::string words;
    for (int i = 0; i < 900; ++i)
      words += std::string("w") + static_cast<char>('a' + i % 26) + std::to_string(i) + "\n";
    for (const char* name : {"nounlist.txt", "adjectivelist.txt", "verblist.txt"}) {
      WriteFile(folder_ / (std::string("wordlists/") + name), words);
    }
    WriteFile(folder_ / "squad/dev-v2.0-half.json",
              R"({"data":[{"paragraphs":[
                {"context":"Paris is the capital of France.","qas":[
                  {"question":"What is the capital of France?","is_impossible":false,"answers":[{"text":"Paris"}]},
                  {"question":"Who?","is_impossible":true,"answers":[]}]},
                {"context":"Rome is the capital of Italy.","qas":[
                  {"question":"What is the capital of Italy?","answers":[{"text":"Rome"},{"text":"rome"}]}]}]}]})");
  }

  ContextPtr Context(bool chat = false, uint64_t seed = 1) const {
    TaskContext context;
    context.meter = std::make_shared<ByteMeter>();
    context.data = std::make_shared<DataFolder>(folder_.path(), std::vector<std::string>{}, "");
    context.seed = seed;
    context.chat = chat;
    return std::make_shared<TaskContext>(std::move(context));
  }

  static std::vector<Sample> MakeAll(const Plan& plan) {
    std::vector<Sample> samples;
    for (const PlannedSample& planned : plan.samples) {
      Result<Sample> sample = planned.make();
      if (!sample.ok()) ADD_FAILURE() << planned.id << ": " << sample.error().message;
      if (sample.ok()) samples.push_back(std::move(*sample));
    }
    return samples;
  }

  static std::string EvidenceText(const Sample& sample, size_t i) {
    const ByteRange range = sample.evidence[i];
    return sample.prompt.substr(range.begin, range.end - range.begin);
  }

  static int64_t Tokens(const Sample& sample) {
    return *ByteMeter().Count(sample.prompt + sample.answer_prefix) + sample.max_tokens;
  }

  TemporaryFolder folder_;
};

}  // namespace ltri

#endif  // LTRI_TESTS_EVAL_TASKS_TASK_FIXTURE_H_
