// `ltri chat`: a conversation in one session.
#ifndef LTRI_CLI_CHAT_H_
#define LTRI_CLI_CHAT_H_

namespace CLI {
class App;
}

namespace ltri {

void AddChatCommand(CLI::App& app);

}  // namespace ltri

#endif  // LTRI_CLI_CHAT_H_
