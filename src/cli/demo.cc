#include "cli/demo.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/process_memory.h"
#include "cli/command.h"
#include "cli/data_file.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "cli/text_input.h"
#include "eval/needle_trial.h"
#include "eval/span_picture.h"

namespace ltri {
namespace {

constexpr int64_t kPictureTokens = 120;

struct DemoOptions {
  ModelChoice model;
  std::string text;  // empty: the book that comes with the program
  std::string picture = "ltri-spans.svg";
  std::vector<std::string> methods = {"streaming", "infllm", "ltri"};
  int64_t tokens = 0;  // 0: a little more than three times the trained context
  double depth = 0.3;
  uint64_t seed = 7;
  int64_t window = 1024;
  int64_t budget = 1024;
};

struct DemoRow {
  std::string method;
  NeedleTrial trial;
  int64_t peak_memory = 0;
};

std::string OneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  const size_t start = text.find_first_not_of(' ');
  text = start == std::string::npos ? "" : text.substr(start);
  return text.size() > 24 ? text.substr(0, 24) : text;
}

// The layer of the strongest retrieval head, or one where such heads usually are.
int64_t PictureLayer(const ModelInfo& info, const std::vector<float>& table) {
  if (!table.empty()) return (std::max_element(table.begin(), table.end()) - table.begin()) / info.heads;
  int64_t layer = info.layers * 3 / 5;
  while (layer + 1 < info.layers && !info.full_attention[static_cast<size_t>(layer)]) ++layer;
  return layer;
}

TrialTrace PictureOf(const ModelInfo& info, const std::vector<float>& table, const NeedlePrompt& prompt) {
  const int64_t middle = (prompt.needle.begin + prompt.needle.end) / 2;
  const int64_t begin = std::max<int64_t>(64, middle - kPictureTokens / 2);
  return {PictureLayer(info, table), {begin, begin + kPictureTokens}, {}, {}};
}

Status SavePicture(const std::string& path, const Model& model, const NeedlePrompt& prompt, const TrialTrace& trace) {
  SpanPicture picture;
  picture.title = fmt::format("Semantic spans around the hidden sentence, layer {}", trace.layer);
  picture.subtitle = "Dots: who attends to whom (darker: more). Triangles: the spans that were cut. Red: the sentence.";
  picture.shown = trace.tokens;
  picture.marked = prompt.needle;
  picture.band = trace.band;
  picture.spans = trace.spans;
  for (int64_t t = trace.tokens.begin; t < trace.tokens.end; ++t) {
    picture.pieces.push_back(model.Detokenize({&prompt.tokens[static_cast<size_t>(t)], 1}));
  }
  std::ofstream file(path);
  file << DrawSpans(picture);
  file.close();
  if (!file) return Error{ErrorCode::kIo, fmt::format("{}: cannot write the picture", path)};
  return {};
}

std::string Table(const std::vector<DemoRow>& rows, int64_t tokens) {
  std::string table = fmt::format("\n  {:<10} {:<6} {:<26} {:>8} {:>11} {:>12} {:>10}\n", "method", "answer", "",
                                  "evidence", "reading", "first token", "peak");
  table += fmt::format("  {:<10} {:<6} {:<26} {:>8} {:>11} {:>12} {:>10}\n", "", "", "", "recall", "tokens/s",
                       "after s", "memory MB");
  for (const DemoRow& row : rows) {
    table += fmt::format("  {:<10} {:<6} {:<26} {:>7.0f}% {:>11.0f} {:>12.1f} {:>10.0f}\n", row.method,
                         row.trial.correct ? "right" : "wrong", OneLine(row.trial.text), 100 * row.trial.recall_eight,
                         static_cast<double>(tokens) / row.trial.prefill_seconds, row.trial.first_token_seconds,
                         static_cast<double>(row.peak_memory) / 1e6);
  }
  return table;
}

Status Demo(const DemoOptions& options) {
  Result<std::shared_ptr<Model>> model = LoadModel(options.model);
  if (!model.ok()) return model.error();
  const ModelInfo& info = (*model)->info();
  std::string path = options.text;
  if (path.empty()) {
    Result<std::string> found = FindDataFile("moby-dick.txt");
    if (!found.ok()) return found.error();
    path = *found;
  }
  Result<std::string> text = ReadTextFile(path);
  if (!text.ok()) return text.error();
  Result<Haystack> haystack = Haystack::Create(**model, *text);
  if (!haystack.ok()) return haystack.error();
  NeedleOptions needle;
  needle.tokens = options.tokens > 0 ? options.tokens : 3 * info.trained_context + 512;
  needle.depth = options.depth;
  needle.seed = options.seed;
  Result<NeedlePrompt> prompt = haystack->MakePrompt(**model, needle);
  if (!prompt.ok()) return prompt.error();

  if (Status status = Print(fmt::format(
          "A text of {} tokens from {}, {:.1f} times what the model was trained for.\n"
          "At token {} hides:{}\n"
          "Asked at the end: the special magic number for {}. Each method sees {} sinks, a window of {}{}.\n\n",
          needle.tokens, path, static_cast<double>(needle.tokens) / static_cast<double>(info.trained_context),
          prompt->needle.begin, prompt->sentence, prompt->key, SessionOptions{}.sinks, options.window,
          fmt::format(" and recalls up to {} tokens", options.budget)));
      !status.ok()) {
    return status;
  }
  TrialTrace trace = PictureOf(info, info.head_table, *prompt);
  std::vector<DemoRow> rows;
  ProgressLine line;
  for (const std::string& method : options.methods) {
    SessionOptions session;
    session.method = method;
    session.window = options.window;
    session.budget = options.budget;
    session.prefill = Prefill::kStream;
    const bool drawn = method == "ltri";
    ResetPeakMemory();
    Result<NeedleTrial> trial =
        RunNeedle(*model, session, *prompt, info.head_table, line.Callback(method), drawn ? &trace : nullptr);
    line.Clear();
    if (!trial.ok()) return trial.error();
    rows.push_back({method, std::move(*trial), PeakMemory()});
    if (!drawn) continue;
    if (Status status = SavePicture(options.picture, **model, *prompt, trace); !status.ok()) return status;
  }
  std::string report = Table(rows, needle.tokens);
  report += fmt::format("\n  The number is {}. Evidence recall: how much of it {} could see while answering.\n",
                        prompt->answer, info.head_table.empty() ? "the heads" : "the heads that copy");
  if (std::find(options.methods.begin(), options.methods.end(), "ltri") != options.methods.end()) {
    report += fmt::format("  Picture of the spans: {}\n", options.picture);
  }
  return Print(report);
}

}  // namespace

void AddDemoCommand(CLI::App& app) {
  auto options = std::make_shared<DemoOptions>();
  CLI::App* demo = app.add_subcommand("demo", "Hide a sentence in a book and ask for it under three methods");
  AddModelOptions(*demo, options->model);
  demo->add_option("--text", options->text, "Book to hide it in (default: Moby-Dick, which comes with ltri)")
      ->group("Text");
  demo->add_option("--tokens", options->tokens, "Length of the text (default: over three times the trained context)")
      ->group("Text")
      ->check(CLI::PositiveNumber);
  demo->add_option("--depth", options->depth, "Where it hides: 0 start, 1 end")
      ->group("Text")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  demo->add_option("--seed", options->seed, "Which number, city and page")->group("Text")->capture_default_str();
  demo->add_option("--methods", options->methods, "Methods to compare")
      ->group("Memory")
      ->delimiter(',')
      ->capture_default_str();
  demo->add_option("--window", options->window, "Tokens before the newest that stay visible")
      ->group("Memory")
      ->capture_default_str();
  demo->add_option("--budget", options->budget, "Recalled tokens per layer")->group("Memory")->capture_default_str();
  demo->add_option("--picture", options->picture, "Where the picture of the spans goes (SVG)")
      ->group("Output")
      ->capture_default_str();
  demo->callback([options] {
    const Interrupt interrupt;
    if (Status status = Demo(*options); !status.ok()) Fail(status.error());
  });
}

}  // namespace ltri
