// How the spans of a layer are saved.
#include <algorithm>

#include "memory/span_memory.h"

namespace ltri {

Status SpanMemory::Save(const std::shared_ptr<BlockFile>& file, StateWriter* state) {
  if (Status status = spans_.Save(file, *tier_, index_.spans(), state); !status.ok()) return status;
  cutter_->Save(state);
  state->Put(received_begin_);
  for (const std::vector<float>& sums : received_) state->PutAll(sums);
  return index_.Save(file, state);
}

Status SpanMemory::Restore(const std::shared_ptr<BlockFile>& file, int64_t tokens, StateReader* state) {
  int64_t stored = 0;
  if (Status status = spans_.Restore(file, *tier_, tokens, state, &stored); !status.ok()) return status;
  cutter_->Restore(state);
  const int64_t tail = spans().empty() ? first_token() : spans().back().end;
  state->Check(cutter_->tail() == std::max(tail, first_token()), "the last span does not end where cutting goes on");
  received_begin_ =
      state->GetWithin<int64_t>(0, std::max(tokens, first_token()), "the first token whose attention is summed");
  for (std::vector<float>& sums : received_) sums = state->GetAll<float>();
  if (!state->ok()) return state->status();
  if (Status status = index_.Restore(file, state); !status.ok()) return status;
  state->Check(index_.spans() == stored, "the index holds other spans than there are");
  if (!state->ok()) return state->status();
  for (const Span& span : this->stored()) directory_.Append(span);
  return {};
}

}  // namespace ltri
