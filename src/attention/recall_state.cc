// How the machine of ltri and InfLLM is saved, restored, and joined from several texts.
#include "attention/choice_state.h"
#include "attention/recall.h"

namespace ltri {

Status Recall::Save(const std::shared_ptr<BlockFile>& file, StateWriter* state) {
  if (Status status = LayeredMethod::Save(file, state); !status.ok()) return status;
  state->Put(joined_sinks_);
  for (int64_t layer = 0; layer < config().layers; ++layer) {
    if (config().IsSliding(layer)) continue;
    if (Status status = spans_[static_cast<size_t>(layer)].Save(file, state); !status.ok()) return status;
    for (int64_t g = 0; g < Groups(); ++g) PutBallot(weights_[static_cast<size_t>(layer * Groups() + g)], state);
    const Choice& choice = choices_[static_cast<size_t>(layer)];
    state->Put<uint64_t>(choice.far.size());
    for (const std::vector<TokenRange>& ranges : choice.far) PutRanges(ranges, state);
    state->Put(choice.local_begin);
    state->Put(choice.token);
  }
  board_.Save(state);
  return {};
}

Status Recall::Restore(const std::shared_ptr<BlockFile>& file, StateReader* state) {
  if (Status status = LayeredMethod::Restore(file, state); !status.ok()) return status;
  joined_sinks_ = state->GetWithin<int64_t>(0, joined_end(), "the sinks of joined texts");
  for (int64_t layer = 0; layer < config().layers && state->ok(); ++layer) {
    if (config().IsSliding(layer)) continue;
    SpanMemory& memory = spans_[static_cast<size_t>(layer)];
    if (joined_end() > 0) memory.StartAt(joined_end());
    if (Status status = memory.Restore(file, size(), state); !status.ok()) return status;
    const auto spans = static_cast<int64_t>(memory.stored().size());
    for (int64_t g = 0; g < Groups(); ++g)
      weights_[static_cast<size_t>(layer * Groups() + g)] = GetBallot(state, spans);
    Choice& choice = choices_[static_cast<size_t>(layer)];
    const auto lists = state->GetWithin<uint64_t>(0, static_cast<uint64_t>(Groups()), "the groups that choose");
    for (uint64_t list = 0; list < lists; ++list) choice.far.push_back(GetRanges(state, size()));
    choice.local_begin = state->GetWithin<int64_t>(0, size(), "the first local token");
    choice.token = state->GetWithin<int64_t>(-1, size() + 1, "the token of a choice");
    state->Check(choice.token < 0 || static_cast<int64_t>(choice.far.size()) == Groups(), "a group has chosen nothing");
  }
  board_.Restore(state);
  return state->status();
}

Result<std::vector<TokenRange>> Recall::Join(ThreadPool& pool, std::span<Method* const> texts) {
  if (options().positions == Positions::kTrue) {
    return Error{
        ErrorCode::kInvalidArgument,
        "positions are 'true', but several texts have no places relative to each other: take clamp or compact"};
  }
  std::vector<TokenRange> places;
  for (Method* text : texts) {
    auto& other = dynamic_cast<Recall&>(*text);
    if (joined_end() == 0) joined_sinks_ = std::min(options().sinks, other.size());
    const int64_t begin = JoinStores(other);
    if (Status status = JoinSpans(pool, other, begin); !status.ok()) return status.error();
    places.push_back({begin, begin + other.size()});
  }
  for (int64_t layer = 0; layer < config().layers; ++layer) {
    if (!config().IsSliding(layer)) spans_[static_cast<size_t>(layer)].StartAt(joined_end());
  }
  return places;
}

// What is not cut and stored yet becomes spans.
Status Recall::Finish(ThreadPool& pool) {
  for (int64_t layer = 0; layer < config().layers; ++layer) {
    if (config().IsSliding(layer)) continue;
    SpanMemory& memory = spans_[static_cast<size_t>(layer)];
    std::vector<Block*> keys;
    store(layer).AppendBlocks(memory.local_begin(), size(), &keys);
    const Result<BlockHold> hold = Hold(pool, std::move(keys));
    if (!hold.ok()) return hold.error();
    memory.Finish(store(layer));
  }
  return {};
}

Status Recall::JoinSpans(ThreadPool& pool, Recall& text, int64_t begin) {
  for (int64_t layer = 0; layer < config().layers; ++layer) {
    if (config().IsSliding(layer)) continue;
    std::vector<Block*> keys;
    text.store(layer).AppendBlocks(0, options().sinks, &keys);
    const Result<BlockHold> hold = text.Hold(pool, std::move(keys));
    if (!hold.ok()) return hold.error();
    spans_[static_cast<size_t>(layer)].Join(text.spans_[static_cast<size_t>(layer)], text.store(layer), begin);
  }
  return {};
}

}  // namespace ltri
