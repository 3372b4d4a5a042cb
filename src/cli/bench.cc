#include "cli/bench.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "bench/bench_json.h"
#include "bench/bench_run.h"
#include "bench/bench_table.h"
#include "bench/depth_chart.h"
#include "bench/quantised_model.h"
#include "cli/bench_device.h"
#include "cli/command.h"
#include "cli/data_file.h"
#include "cli/library_options.h"
#include "cli/model_options.h"
#include "cli/option_types.h"
#include "cli/progress.h"
#include "cli/session_options.h"
#include "cli/text_input.h"
#include "weights/model_store.h"

namespace ltri {
namespace {

const std::vector<std::string> kSections = {"limits", "prefill", "decode"};

struct BenchOptions {
  ModelChoice model;
  BenchSettings settings;
  std::vector<std::string> sections = kSections;
  std::string text;  // empty: Moby-Dick
  bool quick = false;
  bool json = false;
  std::string svg;
  DeviceBenchSettings device;  // for --device cuda

  bool Has(const char* section) const { return std::find(sections.begin(), sections.end(), section) != sections.end(); }
};

// What --quick changes, unless the option was given.
struct QuickSettings {
  std::vector<int64_t> prefill = {512, 2048, 8192};
  std::vector<int64_t> decode = {0, 4096, 16384, 65536};
  int64_t decode_tokens = 16;
  int runs = 3;
  double long_turn = 10;  // seconds
  int long_rounds = 1;
  double time_limit = 540;  // seconds
};

BenchSettings StandardSettings() {
  BenchSettings settings;
  settings.methods = {"dense", "streaming", "infllm", "ltri"};
  settings.prefill = {512, 2048, 8192, 32768};
  settings.decode = {0, 4096, 16384, 65536, 131072};
  // What `auto` would read densely is timed as the method dense already.
  settings.session.prefill = Prefill::kStream;
  return settings;
}

// Barriers at every operation make llama.cpp suffer most when other processes take its cores.
void WarnIfBusy() {
  double load = 0;
  if (getloadavg(&load, 1) != 1 || load < 0.5) return;
  fmt::print(stderr, "Other work runs on this machine (load {:.1f}): figures hold only on an idle one.\n", load);
}

Result<std::string> LoadText(const BenchOptions& options) {
  if (!options.text.empty()) return ReadTextFile(options.text);
  Result<std::string> book = FindDataFile("moby-dick.txt");
  if (!book.ok()) return book.error();
  return ReadTextFile(*book);
}

Status WriteChart(const std::string& path, const std::string& chart) {
  std::ofstream file(path, std::ios::binary);
  file << chart;
  file.close();
  if (!file) return Error{ErrorCode::kIo, fmt::format("{}: cannot write the picture", path)};
  return {};
}

Result<BenchSettings> Complete(const BenchOptions& options) {
  BenchSettings settings = options.settings;
  Result<std::string> path = ResolveModel(options.model.name);
  if (!path.ok()) return path.error();
  settings.model = std::move(*path);
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  settings.threads = options.model.threads == 0 ? cores : options.model.threads;
  settings.limits = options.Has("limits");
  if (!options.Has("prefill")) settings.prefill.clear();
  if (!options.Has("decode")) settings.decode.clear();
  Result<std::string> text = LoadText(options);
  if (!text.ok()) return text.error();
  settings.text = std::move(*text);
  return settings;
}

// Shows what is going on, and prints each row of the table when it is there.
class Watcher {
 public:
  explicit Watcher(bool json) : json_(json) {}

  BenchWatch Watch(int threads) {
    BenchWatch watch;
    watch.stop = [] { return Interrupt::Requested(); };
    watch.doing = [this](const std::string& what) { line_.Show(what, {}); };
    if (json_) return watch;
    watch.limits = [this, threads](const MachineLimits& limits) {
      limits_ = limits;
      Put(LimitsText(limits, threads));
    };
    watch.row = [this](const BenchRow& row) {
      const std::string head = rows_++ == 0 || row.section != last_ ? BenchTableHead(row.section) : "";
      last_ = row.section;
      Put(head + BenchTableLine(row, limits_));
    };
    return watch;
  }

  void Clear() { line_.Clear(); }
  const Status& printed() const { return printed_; }

 private:
  void Put(const std::string& text) {
    line_.Clear();
    if (printed_.ok()) printed_ = Print(text);
  }

  bool json_;
  ProgressLine line_;
  std::optional<MachineLimits> limits_;
  int64_t rows_ = 0;
  BenchSection last_ = BenchSection::kPrefill;
  Status printed_;
};

Status PrintJson(const BenchReport& report, const BenchSettings& settings) {
  nlohmann::ordered_json json = BenchJson(report);
  json["settings"] = nlohmann::ordered_json::object();
  for (const std::string& method : settings.methods) {
    SessionOptions options = settings.session;
    options.method = method;
    json["settings"][method] = SessionSettings(options);
  }
  return Print(json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

// The figures of docs/gpu_performance.md.
Status BenchCard(const BenchOptions& options) {
  DeviceBenchSettings settings = options.device;
  settings.methods = options.settings.methods;
  settings.prefill = options.Has("prefill") ? options.settings.prefill : std::vector<int64_t>();
  settings.decode = options.Has("decode") ? options.settings.decode : std::vector<int64_t>();
  settings.decode_tokens = options.settings.decode_tokens;
  settings.runs = options.settings.rules.rounds;
  settings.session = options.settings.session;
  settings.memory = options.model.device_memory;
  return BenchDevice(settings, options.json);
}

Status Bench(const BenchOptions& options) {
  if (options.model.device == "cuda") return BenchCard(options);
  const Interrupt interrupt;
  const Result<BenchSettings> settings = Complete(options);
  if (!settings.ok()) return settings.error();
  // Found out before the measuring, not after.
  if (!options.svg.empty()) {
    if (Status status = WriteChart(options.svg, ""); !status.ok()) return status;
  }
  WarnIfBusy();
  Watcher watcher(options.json);
  const BenchWatch watch = watcher.Watch(settings->threads);
  const Result<BenchReport> report = RunBench(*settings, watch);
  watcher.Clear();
  if (!report.ok()) return report.error();
  if (!watcher.printed().ok()) return watcher.printed();
  for (const std::string& note : report->notes) fmt::print(stderr, "Note: {}\n", note);
  if (!options.svg.empty()) {
    if (Status status = WriteChart(options.svg, DrawDepthChart(*report)); !status.ok()) return status;
  }
  return options.json ? PrintJson(*report, *settings) : Status();
}

std::string CheckType(std::string& text) {
  const std::vector<std::string> names = WeightTypeNames();
  if (std::find(names.begin(), names.end(), text) != names.end()) return "";
  return fmt::format("'{}' is none of {}", text, fmt::join(names, ", "));
}

std::string CheckSection(std::string& text) {
  if (std::find(kSections.begin(), kSections.end(), text) != kSections.end()) return "";
  return fmt::format("'{}' is none of {}", text, fmt::join(kSections, ", "));
}

CLI::Option* AddLengths(CLI::App& app, const char* name, std::vector<int64_t>& lengths, double least,
                        const char* help) {
  return app.add_option(name, lengths, help)
      ->delimiter(',')
      ->check(Between(least, 1 << 24))
      ->type_name("TOKENS,...")
      ->default_str(fmt::format("{}", fmt::join(lengths, ",")))
      ->group("Bench");
}

CLI::Option* AddNames(CLI::App& app, const char* name, std::vector<std::string>& names, const char* help,
                      std::string (*check)(std::string&)) {
  return app.add_option(name, names, help)
      ->delimiter(',')
      ->check(CLI::Validator(check, ""))
      ->type_name("NAME,...")
      ->default_str(fmt::format("{}", fmt::join(names, ",")))
      ->group("Bench");
}

// Options that --quick has values of its own for.
struct QuickOptions {
  CLI::Option* prefill;
  CLI::Option* decode;
  CLI::Option* decode_tokens;
  CLI::Option* runs;
};

void BeQuick(BenchSettings& settings, const QuickOptions& given) {
  const QuickSettings quick;
  if (given.prefill->empty()) settings.prefill = quick.prefill;
  if (given.decode->empty()) settings.decode = quick.decode;
  if (given.decode_tokens->empty()) settings.decode_tokens = quick.decode_tokens;
  if (given.runs->empty()) settings.rules.rounds = quick.runs;
  settings.rules.long_turn = quick.long_turn;
  settings.rules.long_rounds = quick.long_rounds;
  settings.time_limit = quick.time_limit;
}

QuickOptions AddMeasures(CLI::App& app, BenchOptions& options) {
  BenchSettings& s = options.settings;
  app.add_flag("--peer", s.peer, "Let llama.cpp take its turns too")->group("Bench");
  app.add_flag("--quick", options.quick, "At most ten minutes on two cores: fewer lengths and runs")->group("Bench");
  AddNames(app, "--sections", options.sections, "What to measure, from limits, prefill, decode", CheckSection);
  AddNames(app, "--types", s.types, "Weight types, such as q4_0,q8_0,f16,q4_k_m (without it: the model's own)",
           CheckType);
  QuickOptions quick{};
  quick.prefill = AddLengths(app, "--prefill", s.prefill, 1, "Lengths of the prompts");
  quick.decode = AddLengths(app, "--decode", s.decode, 0, "How many tokens come before what is decoded");
  quick.decode_tokens = app.add_option("--decode-tokens", s.decode_tokens, "Tokens decoded in a run")
                            ->check(Between(1, 4096))
                            ->type_name("N")
                            ->group("Bench");
  quick.runs = app.add_option("--runs", s.rules.rounds, "Runs of each, in turn; the median counts")
                   ->check(Between(1, 1000))
                   ->type_name("N")
                   ->group("Bench");
  AddDeviceMeasures(app, options.device);
  app.add_option("--text", options.text, "What is read (without it: Moby-Dick)")->type_name("FILE")->group("Bench");
  return quick;
}

}  // namespace

void AddBenchCommand(CLI::App& app) {
  auto options = std::make_shared<BenchOptions>();
  options->settings = StandardSettings();
  CLI::App* command =
      app.add_subcommand("bench", "Time reading and decoding, beside llama.cpp and the machine's limits");
  AddModelOptions(*command, options->model);
  const QuickOptions quick = AddMeasures(*command, *options);
  command->add_flag("--json", options->json, "Print one JSON object instead of the tables")->group("Output");
  command->add_option("--svg", options->svg, "Draw decoded tokens a second over the depth")
      ->type_name("FILE")
      ->group("Output");
  AddMethodsOption(*command, options->settings.methods);
  AddMemoryOption(*command, options->settings.session.memory, kMemoryLimit);
  AddSessionOptions(*command, options->settings.session, /*prefill_name=*/"--reading");
  command->callback([options, quick] {
    if (options->quick) BeQuick(options->settings, quick);
    if (const Status status = Bench(*options); !status.ok()) Fail(status.error());
  });
}

}  // namespace ltri
