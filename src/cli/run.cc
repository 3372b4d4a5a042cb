#include "cli/run.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/process_memory.h"
#include "cli/answer_options.h"
#include "cli/command.h"
#include "cli/library_options.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "cli/prompt.h"
#include "cli/session_options.h"
#include "cli/text_input.h"
#include "ltri/session.h"

namespace ltri {
namespace {

struct RunOptions {
  ModelChoice model;
  TextInput text;
  SessionOptions session;
  GenerateOptions answer;
  bool raw = false;
  bool json = false;
};

struct Timing {
  double prefill = 0;  // seconds
  double decode = 0;
};

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Result<std::vector<TokenId>> PromptTokens(const Model& model, const RunOptions& options) {
  Result<std::string> text = ReadText(options.text);
  if (!text.ok()) return text.error();
  bool chat = false;
  if (!options.raw) {
    const Result<bool> has = HasChatTemplate(model);
    if (!has.ok()) return has.error();
    chat = *has;
  }
  if (!chat && !options.text.system.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 options.raw ? "--system and --raw exclude each other"
                             : fmt::format("{} has no chat template, so it cannot take --system", model.info().path)};
  }
  if (!chat) return model.Tokenize(*text, /*begin=*/true, /*control=*/false);
  std::vector<ChatMessage> messages;
  if (!options.text.system.empty()) messages.push_back({"system", options.text.system});
  messages.push_back({"user", Trimmed(*text)});
  const Result<std::string> formatted = model.FormatChat(messages);
  if (!formatted.ok()) return formatted.error();
  return TokenizeTurn(model, *formatted, messages.back().content, /*begin=*/true);
}

// Prints the answer as it comes, or only counts it for a report.
Result<Generation> Answer(Session& session, const RunOptions& options, ProgressLine& line) {
  int64_t tokens = 0;
  Status printed;
  const auto start = std::chrono::steady_clock::now();
  Result<Generation> answer = session.Generate(options.answer, [&](std::string_view piece) {
    if (options.json) {
      line.Show("answering", {++tokens, 0, SecondsSince(start)});
    } else {
      printed = Print(std::string(piece));
    }
    return printed.ok() && !Interrupt::Requested();
  });
  if (!answer.ok()) return answer.error();
  if (!options.json && printed.ok()) printed = Print("\n");
  if (!printed.ok()) return printed.error();
  if (Interrupt::Requested()) {
    return Error{ErrorCode::kCancelled, fmt::format("stopped after {} tokens of the answer", answer->tokens.size())};
  }
  return answer;
}

nlohmann::ordered_json Report(const Model& model, const Session& session, const Generation& answer,
                              int64_t prompt_tokens, const Timing& timing) {
  const ModelInfo& info = model.info();
  nlohmann::json visible = nlohmann::json::array();
  nlohmann::json spans = nlohmann::json::array();
  for (int64_t layer = 0; layer < info.layers; ++layer) {
    int64_t most = 0;  // of all heads; they differ only where each chooses for itself
    for (int64_t head = 0; head < info.heads; ++head) {
      int64_t count = 0;
      for (const TokenRange& range : session.Visible(layer, head)) count += range.count();
      most = std::max(most, count);
    }
    visible.push_back(most);
    spans.push_back(session.Spans(layer).size());
  }
  const MemoryUse memory = session.memory();
  return {{"text", answer.text},
          {"ended", answer.ended},
          {"model", info.path},
          {"method", session.options().method},
          {"settings", SessionSettings(session.options())},
          {"prompt_tokens", prompt_tokens},
          {"generated_tokens", answer.tokens.size()},
          {"prefill_seconds", timing.prefill},
          {"decode_seconds", timing.decode},
          {"peak_memory_bytes", PeakMemory()},
          {"key_value_bytes", memory.keys_and_values},
          {"index_bytes", memory.index},
          {"visible_tokens", visible},
          {"spans", spans}};
}

Status Run(const RunOptions& options) {
  const Interrupt interrupt;
  ProgressLine line;
  Result<std::shared_ptr<Model>> model = LoadModel(options.model);
  if (!model.ok()) return model.error();
  Result<Session> session = Session::Create(*model, options.session);
  if (!session.ok()) return session.error();
  const Result<std::vector<TokenId>> tokens = PromptTokens(**model, options);
  if (!tokens.ok()) return tokens.error();

  Timing timing;
  const auto start = std::chrono::steady_clock::now();
  if (Status status = ReadPrompt(*session, *tokens, line); !status.ok()) {
    line.Clear();
    return status;
  }
  timing.prefill = SecondsSince(start);
  line.Clear();
  const Result<Generation> answer = Answer(*session, options, line);
  timing.decode = SecondsSince(start) - timing.prefill;
  line.Clear();
  if (!answer.ok()) return answer.error();
  if (!options.json) return {};
  const nlohmann::ordered_json report =
      Report(**model, *session, *answer, static_cast<int64_t>(tokens->size()), timing);
  return Print(report.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace

void AddRunCommand(CLI::App& app) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand("run", "Read texts of any length and answer a prompt");
  AddModelOptions(*command, options->model);
  AddFileOption(*command, options->text);
  AddPromptOption(*command, options->text);
  AddSystemOption(*command, options->text);
  command->add_flag("--raw", options->raw, "Continue the text as it stands, without the model's chat template")
      ->group("Text");
  AddMethodOption(*command, options->session);
  AddAnswerOptions(*command, options->answer);
  command->add_flag("--json", options->json, "Print one JSON object with the answer, times and memory")
      ->group("Output");
  AddMemoryOption(*command, options->session.memory, kMemoryLimit);
  AddSessionOptions(*command, options->session);
  command->callback([options] {
    if (const Status status = Run(*options); !status.ok()) Fail(status.error());
  });
}

}  // namespace ltri
