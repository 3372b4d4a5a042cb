// How long an answer may be and how its tokens are chosen.
#ifndef LTRI_CLI_ANSWER_OPTIONS_H_
#define LTRI_CLI_ANSWER_OPTIONS_H_

#include "ltri/session.h"

namespace CLI {
class App;
}

namespace ltri {

// `options` must live as long as `app`.
void AddAnswerOptions(CLI::App& app, GenerateOptions& options);

}  // namespace ltri

#endif  // LTRI_CLI_ANSWER_OPTIONS_H_
