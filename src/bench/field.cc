#include "bench/field.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/llama_peer.h"
#include "bench/session_contender.h"
#include "memory/kv_store.h"
#include "weights/model_file.h"

namespace ltri {
namespace {

constexpr int64_t kLeastText = 64;  // to warm up on

// As much of the text as is wanted; a text that is too short for a depth is made longer anyway.
Result<std::vector<TokenId>> Tokens(const Model& model, const BenchSettings& settings) {
  Result<std::vector<TokenId>> tokens = model.Tokenize(settings.text, /*begin=*/true, /*control=*/false);
  if (!tokens.ok()) return tokens.error();
  int64_t needed = kLeastText + settings.decode_tokens + 1;
  for (const int64_t length : settings.prefill) needed = std::max(needed, length);
  const auto there = static_cast<int64_t>(tokens->size());
  if (there < needed) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("the text has {} tokens, but {} are needed: name a longer one with --text, or shorter "
                             "prompts with --prefill",
                             there, needed)};
  }
  const int64_t wanted = std::max(needed, settings.read_tokens + settings.decode_tokens + 1);
  tokens->resize(static_cast<size_t>(std::min(there, wanted)));
  return tokens;
}

}  // namespace

std::vector<size_t> Field::TakingPart(int64_t depth) const {
  std::vector<size_t> part(contenders.size());
  for (size_t i = 0; i < part.size(); ++i) part[i] = i;
  if (peer && depth > kPeerDepth) part.pop_back();
  return part;
}

int64_t Field::BytesAt(int64_t depth) const {
  int64_t bytes = 0;
  for (const size_t i : TakingPart(depth)) {
    const bool is_peer = peer && i + 1 == contenders.size();
    if (contenders[i]->name() == "streaming") continue;
    // llama.cpp's cache is filled from a copy, ours share what lies beyond a length.
    bytes += session_cost.bytes_per_token * (is_peer ? 2 * depth : std::min(depth, KvStore::kCopied));
    if (!is_peer) bytes += static_cast<int64_t>(session_cost.index_bytes_per_token * static_cast<double>(2 * depth));
  }
  return bytes;
}

Result<Field> MakeField(const std::string& path, const std::string& type, const BenchSettings& settings,
                        const StopCheck& stop) {
  const Result<LoadedModel> weights = LoadModelFile(path);
  if (!weights.ok()) return weights.error();
  const Result<std::shared_ptr<Model>> model = Model::Load(path, {.threads = settings.threads});
  if (!model.ok()) return model.error();
  Result<std::vector<TokenId>> tokens = Tokens(**model, settings);
  if (!tokens.ok()) return tokens.error();
  Field field;
  field.type = type;
  field.cost = CostOfModel(*weights);
  field.session_cost = CostOfSession(weights->config);
  field.tokens = std::move(*tokens);
  for (const std::string& method : settings.methods) {
    SessionOptions options = settings.session;
    options.method = method;
    field.contenders.push_back(std::make_unique<SessionContender>(*model, options, stop));
  }
  if (settings.peer) {
    auto peer = LlamaPeer::Load(path, settings.threads, field.session_cost, stop);
    if (!peer.ok()) return peer.error();
    field.contenders.push_back(std::move(*peer));
    field.peer = true;
  }
  return field;
}

}  // namespace ltri
