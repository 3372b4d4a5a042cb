// How sessions are saved, restored, and joined into one.
#include <fmt/format.h>

#include <algorithm>

#include "attention/registry.h"
#include "engine/options_state.h"
#include "engine/session_impl.h"
#include "memory/spill_file.h"

namespace ltri {
namespace {

constexpr uint32_t kVersion = 3;
// Of the texts' budget: what is alike in several texts competes for it.
constexpr int64_t kJoinedBudget = 2;
constexpr TokenId kNoText = 0;  // stands between joined texts; nobody sees it

Error InState(const Error& error) { return {error.code, "a saved session: " + error.message}; }

// Everything that has to be equal for a state to be of a model; its weights are the caller's business.
void PutShape(const ModelConfig& config, StateWriter* to) {
  for (const int64_t value : {config.layers, config.heads, config.kv_heads, config.head_dim, config.vocabulary}) {
    to->Put(value);
  }
}

Status CheckShape(const ModelConfig& config, StateReader* from) {
  for (const int64_t value : {config.layers, config.heads, config.kv_heads, config.head_dim, config.vocabulary}) {
    const auto saved = from->Get<int64_t>();
    if (!from->ok()) return InState(from->status().error());
    if (saved == value) continue;
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("a saved session is of another model: one of its sizes is {}, here {}", saved, value)};
  }
  return {};
}

// The beginning of a state.
Result<SessionOptions> GetHead(const Engine& engine, StateReader* from) {
  const auto version = from->Get<uint32_t>();
  if (from->ok() && version != kVersion) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("a saved session has version {}; this program reads version {}", version, kVersion)};
  }
  if (Status status = CheckShape(engine.config(), from); !status.ok()) return status.error();
  SessionOptions options = GetOptions(from);
  if (!from->ok()) return InState(from->status().error());
  return options;
}

}  // namespace

Result<std::shared_ptr<Tier>> Session::Impl::MakeTier(const SessionOptions& options) {
  if (options.memory <= 0) return Tier::Create();
  Result<std::shared_ptr<SpillFile>> overflow = SpillFile::Create();
  if (!overflow.ok()) return overflow.error();
  return Tier::Create(options.memory, std::move(*overflow));
}

SessionOptions Session::Impl::Complete(const Model& model, const SessionOptions& options) {
  return ltri::Complete(options, model.info().head_table);
}

Result<std::unique_ptr<Session::Impl>> Session::Impl::Open(std::shared_ptr<Model> model, const SessionOptions& options,
                                                           std::shared_ptr<Tier> tier) {
  const SessionOptions complete = Complete(*model, options);
  Result<std::unique_ptr<Method>> method = model->engine().MakeMethod(complete, tier);
  if (!method.ok()) return method.error();
  return std::make_unique<Impl>(std::move(model), complete, std::move(*method), std::move(tier));
}

// [version, shape, options, the session, the session all read and cut or nothing]
Result<std::vector<std::byte>> Session::Impl::Save(const std::shared_ptr<BlockFile>& file, bool finished) {
  StateWriter state;
  state.Put(kVersion);
  PutShape(engine().config(), &state);
  PutOptions(options_, &state);
  if (Status status = PutState(file, &state); !status.ok()) return status.error();
  if (!finished) {
    state.PutAll(std::span<const uint8_t>());
    return state.Take();
  }
  Result<std::unique_ptr<Impl>> copy = Fork();
  if (!copy.ok()) return copy.error();
  if (Status status = (*copy)->ReadRest(); !status.ok()) return status.error();
  if (Status status = (*copy)->PutState(file, &state); !status.ok()) return status.error();
  return state.Take();
}

// The text is over.
Status Session::Impl::ReadRest() {
  if (Status status = ReadBlocks(0, {}); !status.ok()) return status;
  return engine().Run([&](ThreadPool& pool) { return method_->Finish(pool); });
}

Status Session::Impl::PutState(const std::shared_ptr<BlockFile>& file, StateWriter* to) {
  StateWriter state;
  state.PutAll(tokens_);
  state.Put(read_);
  state.Put(prompt_begin_);
  state.Put<uint8_t>(prompt_open_ ? 1 : 0);
  state.PutAll(logits_);
  state.Put<uint64_t>(texts_.size());
  for (const TokenRange& text : texts_) {
    state.Put(text.begin);
    state.Put(text.end);
  }
  Status saved = engine().Run([&](ThreadPool& /*pool*/) { return method_->Save(file, &state); });
  if (!saved.ok()) return saved;
  to->PutAll(state.Take());
  return {};
}

Status Session::Impl::SetState(std::span<const uint8_t> bytes, const std::shared_ptr<BlockFile>& file) {
  StateReader state(std::as_bytes(bytes));
  tokens_ = state.GetAll<TokenId>();
  const int64_t vocabulary = engine().config().vocabulary;
  state.Check(std::all_of(tokens_.begin(), tokens_.end(), [&](TokenId t) { return t >= 0 && t < vocabulary; }),
              "a token is not in the vocabulary");
  read_ = state.GetWithin<int64_t>(0, size(), "the number of tokens that were read");
  prompt_begin_ = state.GetWithin<int64_t>(0, read_, "the prompt's first token");
  prompt_open_ = state.GetWithin<uint8_t>(0, 1, "a switch") != 0;
  logits_ = state.GetAll<float>();
  state.Check(logits_.empty() || static_cast<int64_t>(logits_.size()) == vocabulary, "logits have a wrong length");
  for (int64_t left = state.GetCount(2 * sizeof(int64_t)); left > 0 && state.ok(); --left) {
    const auto begin = state.GetWithin<int64_t>(texts_.empty() ? 0 : texts_.back().end, size(), "a text's begin");
    texts_.push_back({begin, state.GetWithin<int64_t>(begin, size(), "a text's end")});
  }
  if (!state.ok()) return InState(state.status().error());
  Status restored = engine().Run([&](ThreadPool& /*pool*/) { return method_->Restore(file, &state); });
  if (!restored.ok()) return InState(restored.error());
  state.Check(method_->size() == read_, "it remembers other tokens than were read");
  return state.ok() ? Status() : Status(InState(state.status().error()));
}

Result<std::unique_ptr<Session::Impl>> Session::Impl::Restore(std::shared_ptr<Model> model, const Saved& saved,
                                                              std::shared_ptr<Tier> tier) {
  StateReader state(saved.state);
  Result<SessionOptions> options = GetHead(model->engine(), &state);
  if (!options.ok()) return options.error();
  Result<std::unique_ptr<Impl>> session = Open(std::move(model), *options, std::move(tier));
  if (!session.ok()) return session.error();
  const std::vector<uint8_t> own = state.GetAll<uint8_t>();
  if (!state.ok()) return InState(state.status().error());
  if (Status status = (*session)->SetState(own, saved.file); !status.ok()) return status.error();
  return session;
}

Result<std::unique_ptr<Session::Impl>> Session::Impl::Join(const std::shared_ptr<Model>& model,
                                                           std::span<const Saved> texts, std::shared_ptr<Tier> tier) {
  if (texts.empty()) return Error{ErrorCode::kInvalidArgument, "no texts to join"};
  // Texts that are joined share a tier, so that their blocks move over as they are.
  if (tier == nullptr) tier = Tier::Create();
  std::unique_ptr<Impl> joined;
  std::vector<std::unique_ptr<Impl>> sessions;
  std::vector<Method*> methods;
  std::vector<std::byte> settings;
  for (const Saved& text : texts) {
    StateReader state(text.state);
    Result<SessionOptions> options = GetHead(model->engine(), &state);
    if (!options.ok()) return options.error();
    StateWriter to;
    PutOptions(*options, &to);
    const std::vector<std::byte> own = to.Take();
    if (joined != nullptr && own != settings) {
      return Error{ErrorCode::kInvalidArgument,
                   "the texts were read with different settings; read them again with the same ones to join them"};
    }
    if (joined == nullptr) {
      settings = own;
      SessionOptions roomy = *options;
      if (texts.size() > 1) roomy.budget *= kJoinedBudget;
      Result<std::unique_ptr<Impl>> opened = Open(model, roomy, tier);
      if (!opened.ok()) return opened.error();
      joined = std::move(*opened);
    }
    state.GetAll<uint8_t>();  // what goes on with the text
    const std::vector<uint8_t> finished = state.GetAll<uint8_t>();
    if (!state.ok()) return InState(state.status().error());
    if (finished.empty()) return Error{ErrorCode::kInvalidArgument, "a text was not read to its end yet"};
    Result<std::unique_ptr<Impl>> session = Open(model, *options, tier);
    if (!session.ok()) return session.error();
    if (Status status = (*session)->SetState(finished, text.file); !status.ok()) return status.error();
    sessions.push_back(std::move(*session));
    methods.push_back(sessions.back()->method_.get());
  }
  Status status = model->engine().Run([&](ThreadPool& pool) -> Status {
    Result<std::vector<TokenRange>> places = joined->method_->Join(pool, methods);
    if (!places.ok()) return places.error();
    joined->texts_ = std::move(*places);
    return {};
  });
  if (!status.ok()) return status.error();
  for (size_t i = 0; i < sessions.size(); ++i) {
    joined->tokens_.resize(static_cast<size_t>(joined->texts_[i].begin), kNoText);
    joined->tokens_.insert(joined->tokens_.end(), sessions[i]->tokens_.begin(), sessions[i]->tokens_.end());
  }
  joined->tokens_.resize(static_cast<size_t>(joined->method_->size()), kNoText);
  joined->read_ = joined->size();
  joined->prompt_begin_ = joined->read_;
  return joined;
}

}  // namespace ltri
