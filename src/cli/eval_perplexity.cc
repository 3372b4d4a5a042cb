// `ltri eval perplexity`: how well each method predicts a book, by position.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/eval.h"
#include "cli/haystack_text.h"
#include "cli/model_options.h"
#include "cli/option_types.h"
#include "cli/progress.h"
#include "cli/session_options.h"
#include "eval/perplexity.h"

namespace ltri {
namespace {

using Json = nlohmann::ordered_json;

struct PerplexityOptions {
  ModelChoice model;
  std::vector<std::string> methods = {"dense", "streaming", "infllm", "ltri"};
  std::vector<std::string> texts;
  int64_t tokens = 16384;
  int64_t parts = 8;
  SessionOptions session;
  bool json = false;
  std::string output;
};

struct Row {
  SessionOptions session;
  PerplexityCurve curve;
};

Result<std::vector<TokenId>> LoadTokens(const Model& model, const PerplexityOptions& options) {
  const Result<std::string> text = ReadHaystackText(options.texts);
  if (!text.ok()) return text.error();
  Result<std::vector<TokenId>> tokens = model.Tokenize(*text, /*begin=*/true, /*control=*/false);
  if (!tokens.ok()) return tokens.error();
  if (static_cast<int64_t>(tokens->size()) < options.tokens) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("--tokens is {}, but the text has {}", options.tokens, tokens->size())};
  }
  tokens->resize(static_cast<size_t>(options.tokens));
  return tokens;
}

std::string TableHead(const PerplexityOptions& options) {
  std::string head = fmt::format("{:<12} {:>9} {:>9}  by position, up to token:\n{:<12} {:>9} {:>9}", "", "", "",
                                 "method", "tokens/s", "whole");
  for (int64_t part = 1; part <= options.parts; ++part)
    head += fmt::format(" {:>8}", options.tokens * part / options.parts);
  return head + "\n";
}

std::string TableLine(const PerplexityOptions& options, const Row& row) {
  std::string line = fmt::format("{:<12} {:>9.0f} {:>9.3f}", row.session.method,
                                 static_cast<double>(options.tokens) / row.curve.seconds, row.curve.Perplexity());
  for (const PerplexityPart& part : row.curve.parts) line += fmt::format(" {:>8.3f}", std::exp(part.loss));
  return line + "\n";
}

// score: the perplexity of the whole; lower is better.
Json ReportJson(const std::string& model, const std::vector<std::string>& texts, const std::vector<Row>& rows) {
  Json json = {{"eval", "ltri eval perplexity"}, {"model", model}, {"texts", texts}};
  json["summary"] = Json::array();
  for (const Row& row : rows) {
    Json parts = Json::array();
    for (const PerplexityPart& part : row.curve.parts) {
      parts.push_back({{"begin", part.begin}, {"end", part.end}, {"perplexity", std::exp(part.loss)}});
    }
    json["summary"].push_back({{"method", row.session.method},
                               {"score", row.curve.Perplexity()},
                               {"lower_is_better", true},
                               {"seconds", row.curve.seconds},
                               {"parts", parts},
                               {"settings", SessionSettings(row.session)}});
  }
  return json;
}

Status EvalPerplexity(const PerplexityOptions& options) {
  const Interrupt interrupt;
  Result<std::shared_ptr<Model>> model = LoadModel(options.model);
  if (!model.ok()) return model.error();
  const Result<std::vector<TokenId>> tokens = LoadTokens(**model, options);
  if (!tokens.ok()) return tokens.error();
  if (!options.output.empty()) {
    if (Status status = SaveText(options.output, ""); !status.ok()) return status;
  }
  std::vector<Row> rows;
  ProgressLine line;
  for (const std::string& method : options.methods) {
    SessionOptions session = options.session;
    session.method = method;
    Result<PerplexityCurve> curve = MeasurePerplexity(**model, session, *tokens, options.parts, line.Callback(method));
    line.Clear();
    if (!curve.ok()) return curve.error();
    rows.push_back({session, std::move(*curve)});
    if (options.json) continue;
    const std::string head = rows.size() == 1 ? TableHead(options) : "";
    if (Status status = Print(head + TableLine(options, rows.back())); !status.ok()) return status;
  }
  const std::string json = ReportJson((*model)->info().path, options.texts, rows).dump() + "\n";
  if (!options.output.empty()) {
    if (Status status = SaveText(options.output, json); !status.ok()) return status;
  }
  return options.json ? Print(json) : Status();
}

}  // namespace

void AddPerplexityCommand(CLI::App& eval) {
  auto options = std::make_shared<PerplexityOptions>();
  options->session.prefill = Prefill::kStream;
  CLI::App* command = eval.add_subcommand("perplexity", "How well each method predicts a book, by position");
  AddModelOptions(*command, options->model);
  AddHaystackOption(*command, options->texts);
  command->add_option("--tokens", options->tokens, "Tokens of the text that are read")
      ->check(AtLeast(2))
      ->type_name("TOKENS")
      ->group("Text");
  command->add_option("--parts", options->parts, "Parts of the text that are told apart")
      ->check(Between(1, 1024))
      ->type_name("N")
      ->group("Text");
  AddMethodsOption(*command, options->methods);
  command->add_flag("--json", options->json, "Print one JSON object instead of the table")->group("Output");
  command->add_option("-o,--output", options->output, "Write that object to a file too")
      ->type_name("FILE")
      ->group("Output");
  AddSessionOptions(*command, options->session);
  command->callback([options] {
    if (const Status status = EvalPerplexity(*options); !status.ok()) Fail(status.error());
  });
}

}  // namespace ltri
