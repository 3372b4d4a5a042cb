#include "cli/ask.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/process_memory.h"
#include "cli/answer_options.h"
#include "cli/command.h"
#include "cli/library_options.h"
#include "cli/library_report.h"
#include "cli/model_options.h"
#include "cli/option_types.h"

namespace ltri {
namespace {

struct AskChoices {
  LibraryChoice library;
  ModelChoice model;
  std::vector<std::string> words;  // names, and the question as the last
  AskOptions ask;
  bool json = false;
};

nlohmann::ordered_json Report(const Answer& answer, const std::vector<std::string>& names) {
  nlohmann::ordered_json citations = nlohmann::ordered_json::array();
  for (const Citation& citation : answer.citations) citations.push_back(CitationJson(citation));
  return {{"text", answer.generation.text},
          {"ended", answer.generation.ended},
          {"documents", names},
          {"citations", citations},
          {"document_tokens", answer.document_tokens},
          {"question_tokens", answer.question_tokens},
          {"generated_tokens", answer.generation.tokens.size()},
          {"open_seconds", answer.open_seconds},
          {"first_token_seconds", answer.first_token_seconds},
          {"seconds", answer.seconds},
          {"peak_memory_bytes", PeakMemory()}};
}

Status Ask(const AskChoices& choices) {
  const Interrupt interrupt;
  const Result<Library> library = OpenLibrary(choices.library);
  if (!library.ok()) return library.error();
  const Result<std::shared_ptr<Model>> model = LoadModel(choices.model);
  if (!model.ok()) return model.error();
  const std::vector<std::string> names(choices.words.begin(), choices.words.end() - 1);
  Status printed;
  const Result<Answer> answer =
      library->Ask(*model, names, choices.words.back(), choices.ask, [&](std::string_view piece) {
        if (!choices.json) printed = Print(std::string(piece));
        return printed.ok() && !Interrupt::Requested();
      });
  if (!answer.ok()) return answer.error();
  if (!printed.ok()) return printed;
  if (Interrupt::Requested()) return Error{ErrorCode::kCancelled, "stopped"};
  if (choices.json) return PrintJson(Report(*answer, names));
  return Print("\n" + CitationsText(answer->citations));
}

}  // namespace

void AddAskCommand(CLI::App& app) {
  auto choices = std::make_shared<AskChoices>();
  CLI::App* command = app.add_subcommand("ask", "Ask documents of the library, one or several at once");
  command->add_option("words", choices->words, "The documents, then the question")
      ->required()
      ->take_all()
      ->type_name("NAME... QUESTION")
      ->group("Library");
  AddLibraryOption(*command, choices->library);
  AddMemoryOption(*command, choices->ask.memory);
  command->add_option("--citations", choices->ask.citations, "How many passages to cite")
      ->check(AtLeast(0))
      ->type_name("N")
      ->group("Output");
  command->add_flag("--json", choices->json, "Print one JSON object with the answer and its citations")
      ->group("Output");
  AddModelOptions(*command, choices->model);
  AddAnswerOptions(*command, choices->ask.answer);
  command->callback([choices] {
    if (choices->words.size() < 2) throw CLI::RequiredError("a question after the documents");
    if (const Status status = Ask(*choices); !status.ok()) Fail(status.error());
  });
}

}  // namespace ltri
