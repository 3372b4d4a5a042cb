// ReplyChoice: how a client wants its reply, and what the scheduler adds to it when the answer ends.
#ifndef LTRI_SERVE_REPLY_CHOICE_H_
#define LTRI_SERVE_REPLY_CHOICE_H_

#include <memory>
#include <vector>

#include "ltri/library.h"
#include "serve/memory_map.h"
#include "text/chat_prompt.h"

namespace ltri {

struct ReplyChoice {
  bool chat = false;  // else a completion
  bool stream = false;
  bool usage = false;     // in the stream's last event
  bool progress = false;  // of reading the prompt, in the stream
  bool logprobs = false;
  int choices = 1;
  std::shared_ptr<const ChatReplyFormat> format;  // null: answers are text
  // There with the answer's end; null: not asked for.
  std::shared_ptr<std::vector<Citation>> citations;
  std::shared_ptr<MemoryMap> map;
};

}  // namespace ltri

#endif  // LTRI_SERVE_REPLY_CHOICE_H_
