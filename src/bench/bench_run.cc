#include "bench/bench_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/process_memory.h"
#include "base/stopwatch.h"
#include "bench/field.h"
#include "bench/quantised_model.h"

namespace ltri {
namespace {

constexpr int64_t kWarmTokens = 64;
constexpr double kPrefillShare = 0.6;  // of the time limit

// How long one round of a row took.
struct Pace {
  int64_t tokens = 0;
  double seconds = 0;
};

class BenchRun {
 public:
  BenchRun(const BenchSettings& settings, const BenchWatch& watch) : s_(settings), watch_(watch) {
    report_.model = settings.model;
    report_.threads = settings.threads;
    report_.runs = settings.rules.rounds;
  }

  Result<BenchReport> Run() {
    if (s_.limits) MeasureMachine();
    if (s_.prefill.empty() && s_.decode.empty()) return std::move(report_);
    std::vector<std::string> types = s_.types;
    if (types.empty()) {
      const Result<std::string> own = WeightTypeOf(s_.model);
      if (!own.ok()) return own.error();
      types.push_back(*own);
    }
    for (const std::string& type : types) {
      if (Status status = MeasureType(type); !status.ok()) return status.error();
    }
    return std::move(report_);
  }

 private:
  void Doing(const std::string& what) const {
    if (watch_.doing) watch_.doing(what);
  }

  void MeasureMachine() {
    Doing("measuring the machine");
    ThreadPool pool(s_.threads);
    report_.limits = MeasureLimits(pool, s_.limit_sizes);
    if (watch_.limits) watch_.limits(*report_.limits);
  }

  bool TimeIsUp() const { return s_.time_limit > 0 && clock_.Seconds() > s_.time_limit; }

  // Whether a row would probably not be done in time, by how long the one before took for its first round. Attention
  // makes twice the tokens take up to four times as long.
  bool TooLate(BenchSection section, int64_t tokens) const {
    if (s_.time_limit == 0) return false;
    const Pace& pace = section == BenchSection::kPrefill ? prefill_pace_ : decode_pace_;
    double expected = 0;
    if (pace.tokens > 0 && tokens > pace.tokens) {
      expected = pace.seconds * std::pow(static_cast<double>(tokens) / static_cast<double>(pace.tokens), 1.5);
    }
    // Prompts leave time for decoding.
    const bool share = section == BenchSection::kPrefill && !s_.decode.empty();
    return clock_.Seconds() + expected > (share ? kPrefillShare : 1.0) * s_.time_limit;
  }

  RoundRules Rules() const {
    RoundRules rules = s_.rules;
    rules.enough = [this] { return TimeIsUp(); };
    return rules;
  }

  // The seconds of the first round of all.
  static double FirstRound(const std::vector<std::vector<double>>& seconds) {
    double sum = 0;
    for (const std::vector<double>& rounds : seconds) sum += rounds.empty() ? 0.0 : rounds.front();
    return sum;
  }

  Status MeasureType(const std::string& type) {
    Doing(fmt::format("{}: loading", type));
    Result<std::string> path = s_.types.empty() ? s_.model : ModelOfType(s_.model, type, s_.threads);
    if (!path.ok()) return path.error();
    Result<Field> field = MakeField(*path, type, s_, watch_.stop);
    if (!field.ok()) return field.error();
    if (Status status = WarmUp(*field); !status.ok()) return status;
    for (const int64_t tokens : s_.prefill) {
      if (Status status = MeasurePrefill(*field, tokens); !status.ok()) return status;
    }
    for (const int64_t depth : s_.decode) {
      if (Status status = MeasureDecode(*field, depth); !status.ok()) return status;
    }
    return {};
  }

  // Nobody starts cold: weights are in memory, threads run.
  Status WarmUp(Field& field) {
    for (const auto& contender : field.contenders) {
      const Result<double> read = contender->Read(field.Text(kWarmTokens));
      if (!read.ok()) return read.error();
    }
    return {};
  }

  Status MeasurePrefill(Field& field, int64_t tokens) {
    if (TooLate(BenchSection::kPrefill, tokens)) return LeaveOut(field, "prefill", tokens, "there is no time left");
    const size_t count = field.contenders.size();
    std::vector<int64_t> memory(count, 0);
    std::vector<double> detection(count, 0);
    const auto turn = [&](size_t i) -> Result<double> {
      Contender& contender = *field.contenders[i];
      Doing(fmt::format("{}: prefill of {} tokens by {}", field.type, tokens, contender.name()));
      ReturnFreedMemory();
      const int64_t before = MemoryInUse();
      ResetPeakMemory();
      Result<double> seconds = contender.Read(field.Text(tokens));
      memory[i] = std::max(memory[i], PeakMemory() - before + field.cost.bytes_per_decoded);
      detection[i] = contender.DetectionShare();
      return seconds;
    };
    const auto seconds = PlayRounds(count, Rules(), turn);
    if (!seconds.ok()) return seconds.error();
    prefill_pace_ = {tokens, FirstRound(*seconds)};
    for (size_t i = 0; i < count; ++i) {
      BenchRow row = MakeRow(field, BenchSection::kPrefill, tokens, tokens, *seconds, i);
      row.memory_bytes = memory[i];
      row.detection_share = detection[i];
      row.flops_per_token = static_cast<double>(field.cost.flops_per_prompt);
      Keep(std::move(row));
    }
    return {};
  }

  Status MeasureDecode(Field& field, int64_t depth) {
    if (TooLate(BenchSection::kDecode, depth)) return LeaveOut(field, "decode", depth, "there is no time left");
    const auto there = static_cast<int64_t>(field.tokens.size()) - s_.decode_tokens - 1;
    const int64_t read = std::min({s_.read_tokens, there, *std::max_element(s_.decode.begin(), s_.decode.end())});
    const std::vector<size_t> part = field.TakingPart(depth);
    const int64_t needed = field.BytesAt(depth);
    if (const int64_t free = AvailableMemory(); free > 0 && needed > free) {
      return LeaveOut(field, "decode", depth,
                      fmt::format("it needs {:.1f} GB, and {:.1f} GB are free; --methods may "
                                  "name fewer",
                                  static_cast<double>(needed) / 1e9, static_cast<double>(free) / 1e9));
    }
    for (const size_t i : part) {
      Contender& contender = *field.contenders[i];
      Doing(fmt::format("{}: {} goes to a depth of {}", field.type, contender.name(), depth));
      const Status status = contender.GoTo(field.Text(read), depth, s_.decode_tokens + 1);
      if (!status.ok()) return status;
    }
    const auto next = field.After(std::min(read, depth), s_.decode_tokens + 1);
    const auto seconds = PlayRounds(part.size(), Rules(), [&](size_t i) {
      Doing(fmt::format("{}: {} decodes at {}", field.type, field.contenders[part[i]]->name(), depth));
      return field.contenders[part[i]]->Decode(next);
    });
    if (!seconds.ok()) return seconds.error();
    decode_pace_ = {depth, FirstRound(*seconds)};
    for (size_t i = 0; i < part.size(); ++i) {
      BenchRow row = MakeRow(field, BenchSection::kDecode, depth, s_.decode_tokens, *seconds, i);
      row.method = field.contenders[part[i]]->name();
      row.memory_bytes = field.contenders[part[i]]->MemoryUsed();
      row.weight_bytes = field.cost.bytes_per_decoded;
      row.kv_bytes = field.contenders[part[i]]->BytesSeen();
      Keep(std::move(row));
    }
    return {};
  }

  // seconds: of those taking part; the last of them is the peer if there is one.
  BenchRow MakeRow(const Field& field, BenchSection section, int64_t tokens, int64_t per_turn,
                   const std::vector<std::vector<double>>& seconds, size_t i) const {
    const auto rates = [&](const std::vector<double>& of) {
      std::vector<double> result;
      result.reserve(of.size());
      for (const double s : of) result.push_back(static_cast<double>(per_turn) / s);
      return result;
    };
    BenchRow row;
    row.section = section;
    row.method = field.contenders[i]->name();
    row.weight_type = field.type;
    row.tokens = tokens;
    row.rates = rates(seconds[i]);
    const bool peer_took_part = field.peer && seconds.size() == field.contenders.size();
    if (peer_took_part && i + 1 < seconds.size()) row.peer_rates = rates(seconds.back());
    return row;
  }

  void Keep(BenchRow row) {
    const size_t rounds = CountNumbers(row.rates);
    if (rounds < row.rates.size()) {
      report_.notes.push_back(fmt::format("{} of {} {} by {}, {}: {} of {} runs: long turns are repeated less often",
                                          NameOf(row.section), row.tokens,
                                          row.section == BenchSection::kPrefill ? "tokens" : "deep", row.method,
                                          row.weight_type, rounds, row.rates.size()));
    }
    report_.rows.push_back(std::move(row));
    if (watch_.row) watch_.row(report_.rows.back());
  }

  Status LeaveOut(const Field& field, const char* section, int64_t tokens, const std::string& why) {
    report_.notes.push_back(fmt::format("{} at {}, {}: not measured, {}", section, tokens, field.type, why));
    return {};
  }

  const BenchSettings& s_;
  const BenchWatch& watch_;
  BenchReport report_;
  Stopwatch clock_;
  Pace prefill_pace_;
  Pace decode_pace_;
};

}  // namespace

Result<BenchReport> RunBench(const BenchSettings& settings, const BenchWatch& watch) {
  return BenchRun(settings, watch).Run();
}

}  // namespace ltri
