// The text in which needles are hidden: the person's, or the book that ships with the program.
#ifndef LTRI_CLI_HAYSTACK_TEXT_H_
#define LTRI_CLI_HAYSTACK_TEXT_H_

#include <string>
#include <vector>

#include "eval/needle.h"

namespace CLI {
class App;
}

namespace ltri {

// --text; `files` must live as long as `app`.
void AddHaystackOption(CLI::App& app, std::vector<std::string>& files);

// The files in their order; without any, the book.
Result<std::string> ReadHaystackText(std::vector<std::string> files);
Result<Haystack> LoadHaystack(const Model& model, std::vector<std::string> files);

}  // namespace ltri

#endif  // LTRI_CLI_HAYSTACK_TEXT_H_
