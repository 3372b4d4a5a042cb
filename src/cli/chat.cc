#include "cli/chat.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "cli/answer_options.h"
#include "cli/command.h"
#include "cli/conversation.h"
#include "cli/library_options.h"
#include "cli/line_reader.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "cli/session_options.h"
#include "cli/text_input.h"

namespace ltri {
namespace {

constexpr const char* kHelp =
    "/undo   take back the last question and its answer\n"
    "/reset  begin anew\n"
    "/exit   leave (so does Ctrl-D)\n"
    "Ctrl-C stops an answer.\n";

struct ChatOptions {
  ModelChoice model;
  TextInput text;
  LibraryChoice library;
  std::vector<std::string> documents;  // of the library
  int64_t memory = 0;
  SessionOptions session;
  GenerateOptions answer;
};

enum class Next { kGoOn, kLeave };

Result<Next> RunCommand(const std::string& line, Conversation& conversation) {
  Status status;
  if (line == "/exit" || line == "/quit") return Next::kLeave;
  if (line == "/help") {
    status = Print(kHelp);
  } else if (line == "/reset") {
    status = conversation.Reset();
  } else if (line == "/undo") {
    const Result<bool> undone = conversation.Undo();
    if (!undone.ok()) return undone.error();
    if (!*undone) fmt::print(stderr, "There is nothing to take back.\n");
  } else {
    fmt::print(stderr, "There is no command {}; /help lists what there is.\n", line);
  }
  if (!status.ok()) return status.error();
  return Next::kGoOn;
}

// Answers one line. What is wrong with the line itself ends the turn, not the conversation.
Status AnswerLine(const std::string& line, const GenerateOptions& options, Conversation& conversation) {
  ProgressLine progress;
  Status printed;
  const Status status = conversation.Ask(line, options, progress, [&](std::string_view piece) {
    progress.Clear();
    printed = Print(std::string(piece));
    return printed.ok() && !Interrupt::Requested();
  });
  progress.Clear();
  if (!printed.ok()) return printed;
  if (status.ok()) return Print("\n");
  if (status.error().code != ErrorCode::kInvalidArgument && status.error().code != ErrorCode::kCancelled) return status;
  fmt::print(stderr, "ltri: {}\n", status.error().message);
  return {};
}

Status Talk(const ChatOptions& options, Conversation& conversation, Interrupt& interrupt) {
  const bool asked = isatty(STDIN_FILENO) != 0;
  if (asked) fmt::print(stderr, "Ask away; /help lists the commands.\n");
  LineReader reader(asked ? "> " : "");
  while (true) {
    interrupt.Rearm();
    const std::optional<std::string> line = reader.Next();
    if (!line && Interrupt::Requested()) {
      fmt::print(stderr, "\nTo leave: Ctrl-D or /exit.\n");
      continue;
    }
    if (!line) return asked ? Print("\n") : Status();
    if (line->find_first_not_of(" \t\r") == std::string::npos) continue;
    if (line->starts_with("/")) {
      const Result<Next> next = RunCommand(*line, conversation);
      if (!next.ok()) return next.error();
      if (*next == Next::kLeave) return {};
      continue;
    }
    if (Status status = AnswerLine(*line, options.answer, conversation); !status.ok()) return status;
  }
}

// About documents of the library.
Result<Conversation> Resume(const std::shared_ptr<Model>& model, const ChatOptions& options) {
  if (!options.text.files.empty() || !options.text.system.empty()) {
    return Error{ErrorCode::kInvalidArgument, "--document excludes --file and --system: what it begins with is read"};
  }
  const Result<Library> library = OpenLibrary(options.library);
  if (!library.ok()) return library.error();
  Conversation::Documents documents;
  documents.open = [library = *library, model, options] {
    return library.OpenSession(model, options.documents, options.memory);
  };
  documents.first_question = [library = *library, model,
                              name = options.documents.front()](const std::string& question) {
    return library.QuestionTokens(*model, name, question);
  };
  return Conversation::About(model, std::move(documents));
}

Result<Conversation> Begin(const std::shared_ptr<Model>& model, ChatOptions& options) {
  if (!options.documents.empty()) return Resume(model, options);
  Result<std::string> files = ReadFiles(options.text.files);
  if (!files.ok()) return files.error();
  return Conversation::Create(model, options.session, {options.text.system, std::move(*files)});
}

Status Chat(ChatOptions options) {
  Interrupt interrupt;
  const Result<std::shared_ptr<Model>> model = LoadModel(options.model);
  if (!model.ok()) return model.error();
  Result<Conversation> conversation = Begin(*model, options);
  if (!conversation.ok()) return conversation.error();
  if (Interrupt::Requested()) return Error{ErrorCode::kCancelled, "stopped"};
  return Talk(options, *conversation, interrupt);
}

}  // namespace

void AddChatCommand(CLI::App& app) {
  auto options = std::make_shared<ChatOptions>();
  CLI::App* command = app.add_subcommand("chat", "Talk with a model, about texts of any length if you like");
  AddModelOptions(*command, options->model);
  AddFileOption(*command, options->text);
  AddSystemOption(*command, options->text);
  command->add_option("--document", options->documents, "A document of the library; may be given several times")
      ->expected(1)
      ->take_all()
      ->type_name("NAME")
      ->group("Library");
  AddLibraryOption(*command, options->library);
  AddMemoryOption(*command, options->memory);
  AddMethodOption(*command, options->session);
  AddAnswerOptions(*command, options->answer);
  AddSessionOptions(*command, options->session);
  command->callback([options] {
    if (const Status status = Chat(*options); !status.ok()) Fail(status.error());
  });
}

}  // namespace ltri
