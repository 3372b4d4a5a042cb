// `ltri head-profile MODEL`: finds which heads copy answers from the text, and keeps their scores beside the model.
#ifndef LTRI_CLI_HEAD_PROFILE_H_
#define LTRI_CLI_HEAD_PROFILE_H_

namespace CLI {
class App;
}

namespace ltri {

void AddHeadProfileCommand(CLI::App& app);

}  // namespace ltri

#endif  // LTRI_CLI_HEAD_PROFILE_H_
