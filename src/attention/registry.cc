#include "attention/registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

namespace ltri {
namespace {

struct Entry {
  const char* name;
  Result<std::unique_ptr<Method>> (*make)(const MethodContext&, const SessionOptions&);
};

constexpr Entry kMethods[] = {
    {"ltri", MakeRecall},
    {"infllm", MakeInfLlm},
    {"streaming", MakeStreaming},
    {"dense", MakeDense},
};

Status Check(const SessionOptions& options, const ModelConfig& config) {
  const auto bad = [](const char* name, int64_t value, const std::string& need) -> Status {
    return Error{ErrorCode::kInvalidArgument, fmt::format("{} is {}, but must be {}", name, value, need)};
  };
  if (options.sinks < 0) return bad("sinks", options.sinks, "at least 0");
  if (options.window < 1) return bad("window", options.window, "at least 1");
  if (options.budget < 0) return bad("budget", options.budget, "at least 0");
  if (options.block < 1) return bad("block", options.block, "at least 1");
  if (options.memory < 0) return bad("memory", options.memory, "at least 0");
  if (options.second_reading < 0) return bad("second_reading", options.second_reading, "at least 0");
  if (options.rereadings < 0) return bad("rereadings", options.rereadings, "at least 0");
  if (options.index_probes < 1) return bad("index_probes", options.index_probes, "at least 1");
  if (options.vote_reach < 0) return bad("vote_reach", options.vote_reach, "at least 0");
  if (options.reselect < 1) return bad("reselect", options.reselect, "at least 1");
  if (options.voting_heads < 0) return bad("voting_heads", options.voting_heads, "at least 0");
  if (options.index_vectors < 1) return bad("index_vectors", options.index_vectors, "at least 1");
  const std::pair<const char*, double> shares[] = {{"persistence_share", options.persistence_share},
                                                   {"persistence_decode", options.persistence_decode},
                                                   {"persistence_prefill", options.persistence_prefill}};
  for (const auto& [name, value] : shares) {
    if (value >= 0 && value <= 1) continue;  // false for what is no number
    return Error{ErrorCode::kInvalidArgument, fmt::format("{} is {}, but must be 0 to 1", name, value)};
  }
  const int64_t table = static_cast<int64_t>(options.head_table.size());
  if (WantsHeadTable(options) && table == 0) {
    return Error{ErrorCode::kNotFound, "the model's retrieval heads are not known: `ltri head-profile` finds them"};
  }
  if (WantsHeadTable(options) && table != config.layers * config.heads) {
    return bad("head_table's length", table, fmt::format("layers x heads = {}", config.layers * config.heads));
  }
  return {};
}

}  // namespace

SessionOptions Complete(SessionOptions options, const std::vector<float>& head_table) {
  if (options.head_table.empty()) options.head_table = head_table;
  if (options.vote_weights == VoteWeights::kAuto) {
    options.vote_weights = options.head_table.empty() ? VoteWeights::kEntropy : VoteWeights::kHeadTable;
  }
  if (!WantsHeadTable(options)) options.head_table.clear();
  return options;
}

Result<std::unique_ptr<Method>> MakeMethod(const MethodContext& context, const SessionOptions& options) {
  const SessionOptions complete = Complete(options, {});
  if (Status status = Check(complete, *context.config); !status.ok()) return status.error();
  for (const Entry& entry : kMethods) {
    if (complete.method == entry.name) return entry.make(context, complete);
  }
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("method '{}' is not known; there are {}", options.method, fmt::join(MethodNames(), ", "))};
}

std::vector<std::string> MethodNames() {
  std::vector<std::string> names;
  for (const Entry& entry : kMethods) names.emplace_back(entry.name);
  return names;
}

}  // namespace ltri
