// Tools for a model whose chat template knows none: described in the system message, called by a JSON object.
#ifndef LTRI_TEXT_PLAIN_TOOLS_H_
#define LTRI_TEXT_PLAIN_TOOLS_H_

#include <memory>
#include <string>

#include "ltri/result.h"
#include "text/chat_prompt.h"

namespace ltri {

struct PlainTools {
  std::string messages;                          // the request's, with the tools and their calls written out
  Grammar grammar;                               // rules empty: the request has no tools
  std::shared_ptr<const ChatReplyFormat> reply;  // null then
};

// Error kInvalidArgument names the tool or message that cannot be used.
Result<PlainTools> DescribeTools(const ChatRequest& request);

}  // namespace ltri

#endif  // LTRI_TEXT_PLAIN_TOOLS_H_
