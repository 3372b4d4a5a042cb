#include "cuda/device_choice.h"

#include <algorithm>
#include <cmath>

#include "attention/asked_tokens.h"
#include "attention/choice_state.h"

namespace ltri::cuda {
namespace {

constexpr int64_t kFloat = sizeof(float);
constexpr float kMinor = 1e-3F;  // of the most that a layer asked for: less is nothing

// A vote that gives `density` for each of `length` tokens. Dividing rounds, so the product need not be it, but its
// neighbour is.
float VoteOf(float density, float length) {
  const float vote = density * length;
  if (vote / length == density) return vote;
  const float above = std::nextafter(vote, INFINITY);
  if (above / length == density) return above;
  const float below = std::nextafter(vote, 0.0F);
  return below / length == density ? below : vote;
}

// All layers' votes reach the board as if they were cast now.
void PlaceVotes(Stream stream, const VoteBoard& saved, const ChoosingLayers& layers) {
  Buffer votes;
  const Buffer highest(sizeof(uint32_t));
  Clear(stream, highest.as<void>(), highest.bytes());  // no vote is too small
  for (size_t i = 0; i < layers.spans.size(); ++i) {
    const DeviceSpans& spans = layers.spans[i];
    const std::vector<VoteBoard::Vote>& of_layer = saved.votes(static_cast<int64_t>(i));
    if (of_layer.empty() || spans.stored() == 0) continue;
    const std::vector<float> of = VotesOf(of_layer, {spans.spans().data(), static_cast<size_t>(spans.stored())});
    votes.Reserve(spans.stored() * kFloat);
    Upload(stream, votes.as<void>(), of.data(), spans.stored() * kFloat);
    BoardArgs board;
    board.index = spans.index();
    board.most_spans = spans.stored();
    board.votes = votes.as<float>();
    board.highest = highest.as<uint32_t>();
    board.cast = spans.cast();
    board.board = layers.board;
    board.totals = spans.totals();
    TallyVotes(stream, {&board, 1});
  }
}

}  // namespace

void DeviceChoice::Put(StateWriter* to) const {
  PutBallot(weights, to);
  to->Put<uint64_t>(token < 0 ? 0 : 1);
  if (token >= 0) PutRanges(far, to);
  to->Put(local_begin);
  to->Put(token);
}

DeviceChoice DeviceChoice::Get(StateReader* from, int64_t spans, int64_t tokens) {
  DeviceChoice choice;
  choice.weights = GetBallot(from, spans);
  const auto lists = from->GetWithin<uint64_t>(0, 1, "the groups that choose");
  if (lists > 0) choice.far = GetRanges(from, tokens);
  choice.local_begin = from->GetWithin<int64_t>(0, tokens, "the first local token");
  choice.token = from->GetWithin<int64_t>(-1, tokens + 1, "the token of a choice");
  from->Check(choice.token < 0 || lists > 0, "a group has chosen nothing");
  return choice;
}

DeviceChoice FetchChoice(Stream stream, const DeviceSpans& spans, const DeviceStore& store, int64_t layer,
                         int64_t chosen_at) {
  DeviceChoice choice;
  std::vector<float> weights(static_cast<size_t>(spans.stored()));
  Download(stream, weights.data(), spans.weights(), spans.stored() * kFloat);
  for (size_t span = 0; span < weights.size(); ++span) {
    if (weights[span] > 0) choice.weights.push_back({static_cast<int32_t>(span), weights[span]});
  }
  LayerView view;
  Download(stream, &view, store.views() + layer, sizeof(view));
  if (chosen_at < 0 || view.local_begin == 0) return choice;
  std::vector<int32_t> rows(static_cast<size_t>(view.far));
  Download(stream, rows.data(), store.rows() + layer * store.most_far(),
           static_cast<int64_t>(rows.size() * sizeof(int32_t)));
  for (const int32_t row : rows) {
    if (choice.far.empty() || choice.far.back().end != row) choice.far.push_back({row, row});
    ++choice.far.back().end;
  }
  choice.local_begin = view.local_begin;
  choice.token = chosen_at;
  return choice;
}

bool PlaceChoice(Stream stream, const DeviceChoice& choice, const DeviceSpans& spans, const DeviceStore& store,
                 int64_t layer) {
  std::vector<float> weights(static_cast<size_t>(spans.stored()), 0.0F);
  for (const SpanVote& weight : choice.weights) weights[static_cast<size_t>(weight.span)] = weight.vote;
  Upload(stream, spans.weights(), weights.data(), spans.stored() * kFloat);
  std::vector<int32_t> rows;
  for (const TokenRange& range : choice.far) {
    for (int64_t token = range.begin; token < range.end; ++token) rows.push_back(static_cast<int32_t>(token));
  }
  const bool fits = static_cast<int64_t>(rows.size()) <= store.most_far();
  LayerView view;
  if (choice.token >= 0 && fits) {
    view.far = static_cast<int32_t>(rows.size());
    view.local_begin = static_cast<int32_t>(choice.local_begin);
    Upload(stream, store.rows() + layer * store.most_far(), rows.data(),
           static_cast<int64_t>(rows.size() * sizeof(int32_t)));
  }
  Upload(stream, store.views() + layer, &view, sizeof(view));
  return fits;
}

std::vector<VoteBoard::Vote> FetchVotes(Stream stream, const DeviceSpans& spans) {
  std::vector<float> cast(static_cast<size_t>(spans.stored()));
  Download(stream, cast.data(), spans.cast(), spans.stored() * kFloat);
  std::vector<VoteBoard::Vote> votes;
  for (size_t i = 0; i < cast.size(); ++i) {
    const Span& span = spans.spans()[i];
    if (cast[i] > 0) votes.push_back({span.begin, span.end, cast[i] / static_cast<float>(span.length())});
  }
  return votes;
}

std::vector<float> VotesOf(std::span<const VoteBoard::Vote> votes, std::span<const Span> spans) {
  std::vector<float> of(spans.size(), 0.0F);
  size_t at = 0;
  for (const VoteBoard::Vote& vote : votes) {
    while (at < spans.size() && spans[at].begin < vote.begin) ++at;
    if (at == spans.size()) break;
    if (spans[at].begin != vote.begin || spans[at].end != vote.end) continue;
    of[at] = VoteOf(vote.density, static_cast<float>(spans[at].length()));
  }
  return of;
}

std::vector<RecallShare> AskedShares(std::span<const DeviceSpans> layers) {
  AskedTokens asked;
  for (const DeviceSpans& spans : layers) {
    if (spans.index().heads.voters == 0 || spans.stored() == 0) continue;
    const std::vector<float> votes = spans.Asked();
    const float least = kMinor * *std::max_element(votes.begin(), votes.end());
    Ballot ballot;
    for (size_t span = 0; span < votes.size(); ++span) {
      if (votes[span] >= least) ballot.push_back({static_cast<int32_t>(span), votes[span]});
    }
    asked.Add(spans.spans(), ballot);
  }
  return asked.Shares();
}

Status SaveLayers(const DeviceContext& context, ThreadPool* pool, const ChoosingLayers& layers,
                  const DeviceStore& store, const std::shared_ptr<BlockFile>& file, StateWriter* state) {
  const auto count = static_cast<int64_t>(layers.spans.size());
  // Grouping an index by clusters is work for many threads.
  const auto fetch = [&](int64_t layer, int) { layers.spans[static_cast<size_t>(layer)].Fetch(); };
  if (pool != nullptr) {
    pool->Run(count, fetch);
  } else {
    for (int64_t layer = 0; layer < count; ++layer) fetch(layer, 0);
  }
  VoteBoard board(count);
  for (int64_t layer = 0; layer < count; ++layer) {
    if (context.config.IsSliding(layer)) continue;
    DeviceSpans& spans = layers.spans[static_cast<size_t>(layer)];
    if (Status status = spans.Save(file, state); !status.ok()) return status;
    FetchChoice(context.stream, spans, store, layer, layers.chosen_at[static_cast<size_t>(layer)]).Put(state);
    board.Place(layer, FetchVotes(context.stream, spans));
  }
  board.Save(state);
  return Finish(context.stream);
}

Result<bool> RestoreLayers(const DeviceContext& context, const ChoosingLayers& layers, const DeviceStore& store,
                           int64_t tokens, int64_t joined_end, const std::shared_ptr<BlockFile>& file,
                           StateReader* state) {
  const auto count = static_cast<int64_t>(layers.spans.size());
  bool same = true;
  for (int64_t layer = 0; layer < count && state->ok(); ++layer) {
    if (context.config.IsSliding(layer)) continue;
    const auto i = static_cast<size_t>(layer);
    DeviceSpans& spans = layers.spans[i];
    if (Status status = spans.Restore(file, tokens, joined_end, state); !status.ok()) return status.error();
    const DeviceChoice choice = DeviceChoice::Get(state, spans.stored(), tokens);
    if (!state->ok()) break;
    same = PlaceChoice(context.stream, choice, spans, store, layer) && same;
    layers.chosen_begin[i] = choice.local_begin;
    layers.chosen_at[i] = choice.token;
  }
  VoteBoard board(count);
  board.Restore(state);
  if (!state->ok()) return state->status().error();
  PlaceVotes(context.stream, board, layers);
  if (Status status = Finish(context.stream); !status.ok()) return status.error();
  return same;
}

}  // namespace ltri::cuda
