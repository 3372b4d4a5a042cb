// ltri_peer_bench: this engine and llama.cpp on one file, with the same threads and tokens, turn by turn in one
// process.
//
// Each measurement begins with a new sequence: the prompt is read (until the logits after its last token are there),
// then a number of given tokens is decoded one by one at that depth. Nobody samples: both read the same text.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "llama_peer.h"
#include "ltri/session.h"
#include "weights/model_store.h"

namespace ltri::bench {
namespace {

struct Settings {
  std::string model = "smollm2";
  std::string text = LTRI_BENCH_TEXT;
  int threads = 2;
  int runs = 5;
  int64_t decode = 64;                        // tokens
  std::vector<int64_t> depths = {512, 8192};  // tokens of the prompt
  int64_t window = 1024;
  int64_t budget = 1024;
  bool quick = false;
};

// Seconds of one measurement.
struct Times {
  double prefill = 0;
  double decode = 0;
};

// Reads a prompt and then single tokens.
struct Contender {
  std::string name;
  std::function<Times(std::span<const TokenId> prompt, std::span<const TokenId> next)> measure;
};

double Seconds(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
}

void Check(const Status& status) {
  if (!status.ok()) throw std::runtime_error(status.error().message);
}

template <typename T>
T Take(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

Times MeasureOurs(const std::shared_ptr<Model>& model, const SessionOptions& options, std::span<const TokenId> prompt,
                  std::span<const TokenId> next) {
  Session session = Take(Session::Create(model, options));
  Times times;
  auto start = std::chrono::steady_clock::now();
  Check(session.Append(prompt));
  Take(session.NextLogits());
  times.prefill = Seconds(start);
  start = std::chrono::steady_clock::now();
  for (const TokenId token : next) {
    Check(session.Append({&token, 1}));
    Take(session.NextLogits());
  }
  times.decode = Seconds(start);
  return times;
}

Times MeasurePeer(LlamaPeer& peer, std::span<const TokenId> prompt, std::span<const TokenId> next) {
  peer.Begin();
  Times times;
  auto start = std::chrono::steady_clock::now();
  peer.Read(prompt);
  times.prefill = Seconds(start);
  start = std::chrono::steady_clock::now();
  for (const TokenId& token : next) peer.Read({&token, 1});
  times.decode = Seconds(start);
  return times;
}

std::vector<Contender> Contenders(const Settings& settings, const std::shared_ptr<Model>& model, LlamaPeer& peer) {
  SessionOptions dense;
  dense.method = "dense";
  SessionOptions ltri;
  ltri.method = "ltri";
  ltri.prefill = Prefill::kStream;
  ltri.window = settings.window;
  ltri.budget = settings.budget;
  return {
      {"llama.cpp", [&peer](auto prompt, auto next) { return MeasurePeer(peer, prompt, next); }},
      {"dense", [model, dense](auto prompt, auto next) { return MeasureOurs(model, dense, prompt, next); }},
      {"ltri", [model, ltri](auto prompt, auto next) { return MeasureOurs(model, ltri, prompt, next); }},
  };
}

// Rates of all runs, tokens a second: [depth][contender][run].
struct Rates {
  std::vector<double> prefill;
  std::vector<double> decode;
};
using Table = std::map<int64_t, std::map<std::string, Rates>>;

void MeasureDepth(const Settings& settings, std::span<const TokenId> tokens, int64_t depth,
                  const std::vector<Contender>& contenders, Table* table) {
  const auto prompt = tokens.first(static_cast<size_t>(depth));
  const auto next = tokens.subspan(prompt.size(), static_cast<size_t>(settings.decode));
  // Nobody starts cold: weights are in memory, buffers are made, threads run.
  const auto warm = tokens.first(static_cast<size_t>(std::min<int64_t>(depth, 512)));
  for (const Contender& contender : contenders) contender.measure(warm, tokens.first(4));
  for (int run = 0; run < settings.runs; ++run) {
    for (size_t i = 0; i < contenders.size(); ++i) {
      // The order turns, and whoever was before has stopped polling for work.
      const Contender& contender = contenders[(i + static_cast<size_t>(run)) % contenders.size()];
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      const Times times = contender.measure(prompt, next);
      Rates& rates = (*table)[depth][contender.name];
      rates.prefill.push_back(static_cast<double>(prompt.size()) / times.prefill);
      rates.decode.push_back(static_cast<double>(next.size()) / times.decode);
      fmt::print(stderr, "run {} of {}, depth {:5}: {:10} prefill {:8.1f}, decode {:7.1f} tokens/s\n", run + 1,
                 settings.runs, depth, contender.name, rates.prefill.back(), rates.decode.back());
    }
  }
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

// The peer took its turn beside ours in every run, so ratios are taken run by run.
std::string Compared(const std::vector<double>& ours, const std::vector<double>& peer) {
  std::vector<double> ratios;
  for (size_t i = 0; i < ours.size(); ++i) ratios.push_back(ours[i] / peer[i]);
  const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  return fmt::format("{:8.1f}  {:5.2f} ({:.2f}-{:.2f})", Median(ours), Median(ratios), *least, *most);
}

void Print(const Table& table, int64_t decode) {
  fmt::print("\n{:24} {:>10}   {:26} {:26}\n", "median tokens/s", "llama.cpp", "   dense  ratio (range)",
             "    ltri  ratio (range)");
  for (const bool prefill : {true, false}) {
    for (const auto& [depth, rates] : table) {
      const auto pick = [&, &rates = rates](const char* name) {
        const Rates& all = rates.at(name);
        return prefill ? all.prefill : all.decode;
      };
      const std::string what =
          prefill ? fmt::format("prefill of {}", depth) : fmt::format("decode {} at {}", decode, depth);
      const std::vector<double> peer = pick("llama.cpp");
      fmt::print("{:24} {:10.1f}   {:26} {:26}\n", what, Median(peer), Compared(pick("dense"), peer),
                 Compared(pick("ltri"), peer));
    }
  }
}

std::vector<TokenId> ReadTokens(const Settings& settings, const Model& model, int64_t count) {
  std::ifstream file(settings.text, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + settings.text + "; name a text with --text");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::vector<TokenId> tokens = Take(model.Tokenize(text, /*begin=*/true, /*control=*/false));
  if (static_cast<int64_t>(tokens.size()) < count) {
    throw std::runtime_error(fmt::format("{} has {} tokens, but {} are needed", settings.text, tokens.size(), count));
  }
  tokens.resize(static_cast<size_t>(count));
  return tokens;
}

// Barriers at every operation make llama.cpp suffer most when other processes take its cores.
void WarnIfBusy() {
  double load = 0;
  if (getloadavg(&load, 1) != 1 || load < 0.5) return;
  fmt::print(stderr, "warning: other work runs on this machine (load {:.1f}); ratios hold only on an idle one\n", load);
}

void Run(const Settings& settings) {
  WarnIfBusy();
  const std::string path = Take(ResolveModel(settings.model));
  const std::shared_ptr<Model> model = Take(Model::Load(path, {.threads = settings.threads}));
  const int64_t deepest = *std::max_element(settings.depths.begin(), settings.depths.end());
  LlamaPeer peer(path, deepest + settings.decode, settings.threads);
  const std::vector<TokenId> tokens = ReadTokens(settings, *model, deepest + settings.decode);
  const std::vector<Contender> contenders = Contenders(settings, model, peer);
  Table table;
  for (const int64_t depth : settings.depths) MeasureDepth(settings, tokens, depth, contenders, &table);
  fmt::print("{}, {} threads, {} runs; ltri: streamed, window {}, budget {}\n", path, settings.threads, settings.runs,
             settings.window, settings.budget);
  Print(table, settings.decode);
}

}  // namespace
}  // namespace ltri::bench

int main(int argc, char** argv) {
  ltri::bench::Settings settings;
  CLI::App app("Times this engine beside llama.cpp: prefill, and decoding at depth, in tokens a second.");
  app.add_option("--model", settings.model, "GGUF file, or the name of a fetched model")->capture_default_str();
  app.add_option("--text", settings.text, "text to read")->capture_default_str();
  app.add_option("--threads", settings.threads, "threads of both")->capture_default_str()->check(CLI::PositiveNumber);
  auto* runs =
      app.add_option("--runs", settings.runs, "runs of each")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--decode", settings.decode, "tokens to decode")->capture_default_str()->check(CLI::PositiveNumber);
  auto* depths = app.add_option("--depths", settings.depths, "prompt lengths")->delimiter(',')->capture_default_str();
  depths->check(CLI::PositiveNumber);
  app.add_option("--window", settings.window, "window of ltri")->capture_default_str();
  app.add_option("--budget", settings.budget, "budget of ltri")->capture_default_str();
  app.add_flag("--quick", settings.quick, "two runs, 512 and 2048 tokens, unless named");
  CLI11_PARSE(app, argc, argv);
  if (settings.quick && runs->empty()) settings.runs = 2;
  if (settings.quick && depths->empty()) settings.depths = {512, 2048};
  try {
    ltri::bench::Run(settings);
  } catch (const std::exception& error) {
    fmt::print(stderr, "ltri_peer_bench: {}\n", error.what());
    return 1;
  }
  return 0;
}
