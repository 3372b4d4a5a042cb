#include "cli/session_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "attention/registry.h"
#include "cli/option_types.h"
#include "cli/session_choices.h"

namespace ltri {
namespace {

constexpr const char* kMemory = "Memory";
constexpr const char* kResearch = "Research";

void AddTokens(CLI::App& app, const char* name, int64_t& value, double low, const char* group, const char* help) {
  app.add_option(name, value, help)->check(AtLeast(low))->type_name("TOKENS")->group(group);
}

void AddShare(CLI::App& app, const char* name, double& value, const char* help) {
  app.add_option(name, value, help)->check(Between(0, 1))->type_name("0..1")->group(kResearch);
}

void AddResearchOptions(CLI::App& app, SessionOptions& o) {
  AddChoice<SpanSelector>(app, "--spans", o.spans, kSelectors, "How the text is cut into spans")->group(kResearch);
  app.add_option("--kappa", o.kappa, "Baseline of the triangle score, in means of the band")
      ->check(AtLeast(0))
      ->type_name("X")
      ->group(kResearch);
  AddTokens(app, "--min-span", o.min_span, 1, kResearch, "The shortest span");
  AddTokens(app, "--max-span", o.max_span, 1, kResearch, "The longest span; half a window at most");
  AddChoice<IndexVectors>(app, "--index", o.index, kIndexes, "Which keys stand for a span")->group(kResearch);
  app.add_option("--index-vectors", o.index_vectors, "How many of them, with --index even or received")
      ->check(Between(1, 1024))
      ->type_name("N")
      ->group(kResearch);
  app.add_flag("--index-clusters,!--no-index-clusters", o.index_clusters, "Search a long index by clusters, not whole")
      ->group(kResearch);
  app.add_option("--index-probes", o.index_probes, "Clusters that each query opens")
      ->check(Between(1, 1 << 20))
      ->type_name("N")
      ->group(kResearch);
  app.add_option("--rereadings", o.rereadings, "How often the end of a prompt is read again")
      ->check(Between(0, 16))
      ->type_name("N")
      ->group(kResearch);
  AddChoice<Sharing>(app, "--sharing", o.sharing, kSharings, "Who shares a choice of spans")->group(kResearch);
  AddChoice<VoteWeights>(app, "--vote-weights", o.vote_weights, kVoteWeights, "What makes a head's vote count")
      ->group(kResearch);
  app.add_option("--voting-heads", o.voting_heads, "Only so many heads vote, the best of `ltri head-profile`; 0: all")
      ->check(AtLeast(0))
      ->type_name("N")
      ->group(kResearch);
  AddTokens(app, "--vote-reach", o.vote_reach, 0, kResearch, "So far behind a voted span others are lent its vote");
  app.add_option("--reselect", o.reselect, "Layers choose anew, in turn, at every so many decoded tokens")
      ->check(AtLeast(1))
      ->type_name("N")
      ->group(kResearch);
  AddChoice<Votes>(app, "--votes", o.votes, kVotes, "How scores become votes")->group(kResearch);
  AddChoice<VotingQueries>(app, "--voting-queries", o.voting_queries, kVotingQueries, "Which queries of a block vote")
      ->group(kResearch);
  app.add_flag("--clamp-relevance", o.clamp_relevance, "Turn queries by the clamp distance before they meet the index")
      ->group(kResearch);
  app.add_flag("--persistence,!--no-persistence", o.persistence, "Keep what was recalled before in sight for a while")
      ->group(kResearch);
  AddShare(app, "--persistence-share", o.persistence_share, "The share of the budget for it");
  AddShare(app, "--persistence-decode", o.persistence_decode, "What stays of its weight at each decoded token");
  AddShare(app, "--persistence-prefill", o.persistence_prefill, "What stays of its weight at each block of a prompt");
}

std::string CheckMethod(std::string& text) {
  std::string names;
  for (const std::string& name : MethodNames()) {
    if (name == text) return "";
    names += (names.empty() ? "" : ", ") + name;
  }
  return fmt::format("'{}' is none of {}", text, names);
}

}  // namespace

void AddMethodOption(CLI::App& app, SessionOptions& options) {
  app.add_option("--method", options.method, "How a long text is remembered: ltri, infllm, streaming, dense")
      ->check(CLI::Validator(CheckMethod, ""))
      ->type_name("NAME")
      ->group(kMemory);
}

void AddMethodsOption(CLI::App& app, std::vector<std::string>& methods) {
  app.add_option("--methods", methods, "Which methods to compare, from ltri, infllm, streaming, dense")
      ->delimiter(',')
      ->check(CLI::Validator(CheckMethod, ""))
      ->type_name("NAME,...")
      ->default_str(fmt::format("{}", fmt::join(methods, ",")))
      ->group(kMemory);
}

void AddSessionOptions(CLI::App& app, SessionOptions& o, const char* prefill_name) {
  AddTokens(app, "--sinks", o.sinks, 0, kMemory, "First tokens of the text that always stay in sight");
  AddTokens(app, "--window", o.window, 1, kMemory, "Last tokens that stay in sight");
  AddTokens(app, "--budget", o.budget, 0, kMemory, "Tokens that come back from memory, for each layer");
  AddTokens(app, "--block", o.block, 1, kMemory, "Tokens of a prompt that are read at once");
  AddChoice<Positions>(app, "--positions", o.positions, kPositions, "Where recalled tokens seem to stand")
      ->group(kMemory);
  AddChoice<Prefill>(app, prefill_name, o.prefill, kPrefills, "How a prompt is read")->group(kMemory);
  AddTokens(app, "--second-reading", o.second_reading, 0, kMemory,
            "Tokens at a prompt's end that are read again, with what the answer will see");
  AddResearchOptions(app, o);
}

nlohmann::ordered_json SessionSettings(const SessionOptions& o) {
  nlohmann::ordered_json json = {{"block", o.block}};
  if (o.method == "dense") return json;
  json["sinks"] = o.sinks;
  json["window"] = o.window;
  json["positions"] = NameOf<Positions>(kPositions, o.positions);
  json["prefill"] = NameOf<Prefill>(kPrefills, o.prefill);
  if (o.method == "streaming") return json;
  json["budget"] = o.budget;
  if (o.method == "infllm") return json;
  json["second_reading"] = o.second_reading;
  json["rereadings"] = o.rereadings;
  json["spans"] = NameOf<SpanSelector>(kSelectors, o.spans);
  json["kappa"] = o.kappa;
  json["min_span"] = o.min_span;
  json["max_span"] = o.max_span;
  json["index"] = NameOf<IndexVectors>(kIndexes, o.index);
  json["index_vectors"] = o.index_vectors;
  json["index_clusters"] = o.index_clusters;
  json["index_probes"] = o.index_probes;
  json["voting_heads"] = o.voting_heads;
  json["vote_reach"] = o.vote_reach;
  json["reselect"] = o.reselect;
  json["sharing"] = NameOf<Sharing>(kSharings, o.sharing);
  json["vote_weights"] = NameOf<VoteWeights>(kVoteWeights, o.vote_weights);
  json["votes"] = NameOf<Votes>(kVotes, o.votes);
  json["voting_queries"] = NameOf<VotingQueries>(kVotingQueries, o.voting_queries);
  json["clamp_relevance"] = o.clamp_relevance;
  json["persistence"] = o.persistence;
  json["persistence_share"] = o.persistence_share;
  json["persistence_decode"] = o.persistence_decode;
  json["persistence_prefill"] = o.persistence_prefill;
  return json;
}

}  // namespace ltri
