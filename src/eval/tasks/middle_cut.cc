#include "eval/tasks/middle_cut.h"

#include <fmt/format.h>

#include "eval/score/text_units.h"

namespace ltri {

Status FillWithContext(const TaskContext& context, const std::string& form, const std::string& body, Sample* sample) {
  const std::string field = "{context}";
  sample->prompt = ReplaceAll(form, field, body);
  if (sample->length <= 0) return {};
  const Result<int64_t> own = context.meter->Count(ReplaceAll(form, field, "") + sample->answer_prefix);
  if (!own.ok()) return own.error();
  const int64_t room = sample->length - *own - sample->max_tokens - context.frame_tokens;
  if (room < 0) {
    return Error{
        ErrorCode::kInvalidArgument,
        fmt::format("{} does not fit {} tokens: take more, or fewer answer tokens", sample->task, sample->length)};
  }
  const Result<TokenizedText> text = TokenizedText::Create(*context.meter, body);
  if (!text.ok()) return text.error();
  if (text->size() <= room) return {};
  const int64_t front = room / 2;
  std::string cut(text->Part(0, front));
  cut += text->Part(text->size() - (room - front), text->size());
  sample->prompt = ReplaceAll(form, field, cut);
  return {};
}

}  // namespace ltri
