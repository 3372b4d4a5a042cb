// Kills `ltri index` and `ltri library compact` with SIGKILL at random moments, again and again, on one library. After
// each kill the library opens, verify finds nothing, and every document answers, bit for bit, as a session in RAM that
// has read the same text.
//
//   ltri_kill_test [ROUNDS [SEED]]
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "ltri/library.h"
#include "support/temporary_folder.h"
#include "support/tiny_gguf.h"
#include "support/tiny_session.h"

namespace ltri::testing {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr const char* kQuestion = "Which line was it?";

std::string Text(int lines) {
  std::string text;
  for (int i = 0; i < lines; ++i) text += "Line " + std::to_string(i * 7919 % 1000) + " tells of it. ";
  return text;
}

// The program, on its way or ended.
class Program {
 public:
  explicit Program(const std::vector<std::string>& arguments) {
    std::vector<char*> words = {const_cast<char*>(LTRI_PROGRAM)};
    for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (posix_spawn(&process_, LTRI_PROGRAM, &actions, nullptr, words.data(), environ) != 0) std::abort();
    posix_spawn_file_actions_destroy(&actions);
  }

  // True when it was still running and is dead now; false when it had ended well before.
  bool KillAfter(Seconds delay) {
    const Clock::time_point end = Clock::now() + std::chrono::duration_cast<Clock::duration>(delay);
    while (Clock::now() < end) {
      if (Ended(WNOHANG)) return false;
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    kill(process_, SIGKILL);
    return !Ended(0);
  }
  void Wait() {
    if (!Ended(0)) std::abort();
  }

 private:
  // Whether it ended by itself. What ends with an error ends the test.
  bool Ended(int flags) {
    int status = 0;
    if (waitpid(process_, &status, flags) == 0) return false;
    if (WIFSIGNALED(status)) return false;
    if (WEXITSTATUS(status) == 0) return true;
    std::fprintf(stderr, "ltri ended with %d\n", WEXITSTATUS(status));
    std::exit(1);
  }

  pid_t process_ = 0;
};

class KillTest {
 public:
  explicit KillTest(uint32_t seed) : random_(seed) {
    WriteFile(scratch_ / "anchor.txt", Text(100));
    WriteFile(scratch_ / "book.txt", Text(400));
    Require(library_.Index(model_, "anchor", {scratch_ / "anchor.txt"}, options_));
    anchor_ = Logits("anchor");
    // How long a run takes when nobody kills it, and what it reads.
    const Clock::time_point start = Clock::now();
    Program(IndexArguments()).Wait();
    whole_run_ = Clock::now() - start;
    book_ = Open("book").tokens();
    Require(library_.Remove("book"));
  }

  int Run(int rounds) {
    int kills = 0;
    int compacts = 0;
    while (kills < rounds && failures_ == 0) {
      const bool compact = HasBook() && random_() % 8 == 0;
      const double share = std::uniform_real_distribution<double>(0, compact ? 0.2 : 0.6)(random_);
      Program program(compact ? CompactArguments() : IndexArguments());
      const bool killed = program.KillAfter(share * whole_run_);
      kills += killed ? 1 : 0;
      compacts += killed && compact ? 1 : 0;
      Check();
      if (!killed && !compact) {
        Require(library_.Remove("book"));
        in_ram_ = MakeSession(model_, SmallOptions("ltri"));
        ++finished_;
      }
    }
    std::printf(
        "kill test: %d kills (%d while compacting), %d documents finished in between, %d commits met, %d failures\n",
        kills, compacts, finished_, commits_, failures_);
    return failures_ == 0 ? 0 : 1;
  }

 private:
  template <typename T>
  static void Require(const T& result) {
    if (result.ok()) return;
    std::fprintf(stderr, "unexpected error: %s\n", result.error().message.c_str());
    std::exit(1);
  }

  std::vector<std::string> IndexArguments() const {
    return {"index",
            "book",
            scratch_ / "book.txt",
            "--library",
            library_.folder(),
            "--model",
            path_,
            "--threads",
            "1",
            "--commit-every",
            "150",
            "--sinks",
            "4",
            "--window",
            "64",
            "--budget",
            "48",
            "--block",
            "32",
            "--min-span",
            "4",
            "--max-span",
            "32",
            "--prefill",
            "stream",
            "--second-reading",
            "16",
            "--memory",
            "1MiB"};
  }
  std::vector<std::string> CompactArguments() const {
    return {"library", "compact", "book", "--library", library_.folder(), "--model", path_, "--threads", "1"};
  }

  Session Open(const std::string& name) {
    Result<Session> session = library_.OpenSession(model_, {name});
    Require(session);
    return std::move(*session);
  }

  std::vector<float> LogitsOf(Session& session) const {
    return LogitsAfter(session, *library_.QuestionTokens(*model_, "anchor", kQuestion));
  }
  std::vector<float> Logits(const std::string& name) {
    Session session = Open(name);
    return LogitsOf(session);
  }

  bool HasBook() {
    const auto documents = library_.List();
    Require(documents);
    return documents->size() == 2;
  }

  void Expect(bool holds, const std::string& what) {
    if (holds) return;
    ++failures_;
    std::printf("FAILED: %s\n", what.c_str());
  }

  void Check() {
    const auto report = library_.Verify();
    Require(report);
    Expect(report->damage.empty(), report->damage.empty() ? "" : report->damage.front().what);
    Expect(Logits("anchor") == anchor_, "the finished document answers differently");
    if (!HasBook()) return;
    Session book = Open("book");
    const std::vector<TokenId> tokens = book.tokens();
    const std::vector<TokenId>& read = in_ram_.tokens();
    Expect(tokens.size() <= book_.size() && std::equal(tokens.begin(), tokens.end(), book_.begin()),
           "the document holds other tokens than the text");
    Expect(tokens.size() >= read.size(), "a commit was lost");
    if (failures_ > 0) return;
    commits_ += tokens.size() > read.size() ? 1 : 0;
    Require(in_ram_.Append(Part(tokens, static_cast<int64_t>(read.size()), static_cast<int64_t>(tokens.size()))));
    Session expected = *in_ram_.Fork();
    Expect(LogitsOf(book) == LogitsOf(expected), "the document answers differently from a session in RAM");
  }

  std::mt19937 random_;
  const TemporaryFolder scratch_;
  const std::string path_ = WriteTinyGguf(TinySpec("llama"), scratch_.path());
  const std::shared_ptr<Model> model_ = *Model::Load(path_);
  const Library library_{scratch_ / "library"};
  const IndexOptions options_ = {.session = SmallOptions("ltri"), .commit_every = 150};
  Session in_ram_ = MakeSession(model_, SmallOptions("ltri"));  // has read what the document had at the last check
  std::vector<float> anchor_;
  std::vector<TokenId> book_;
  Seconds whole_run_{};
  int finished_ = 0;
  int commits_ = 0;
  int failures_ = 0;
};

}  // namespace
}  // namespace ltri::testing

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 200;
  const auto seed = static_cast<uint32_t>(argc > 2 ? std::atoi(argv[2]) : std::random_device()());
  std::printf("kill test: seed %u\n", seed);
  return ltri::testing::KillTest(seed).Run(rounds);
}
