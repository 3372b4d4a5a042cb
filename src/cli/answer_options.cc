#include "cli/answer_options.h"

#include <CLI/CLI.hpp>

#include "cli/option_types.h"

namespace ltri {
namespace {

constexpr const char* kAnswer = "Answer";

}  // namespace

void AddAnswerOptions(CLI::App& app, GenerateOptions& options) {
  SamplingOptions& sampling = options.sampling;
  app.add_option("-n,--max-tokens", options.max_tokens, "The longest answer")
      ->check(AtLeast(1))
      ->type_name("TOKENS")
      ->group(kAnswer);
  app.add_option("--temperature", sampling.temperature, "How freely tokens are drawn; 0: always the likeliest")
      ->check(AtLeast(0))
      ->type_name("X")
      ->group(kAnswer);
  app.add_option("--top-k", sampling.top_k, "Draw from the K likeliest; 0: from all")
      ->check(AtLeast(0))
      ->type_name("K")
      ->group(kAnswer);
  app.add_option("--top-p", sampling.top_p, "Draw from the likeliest that make up this share")
      ->check(Between(0, 1))
      ->type_name("0..1")
      ->group(kAnswer);
  app.add_option("--min-p", sampling.min_p, "Leave out what is less likely than this share of the likeliest")
      ->check(Between(0, 1))
      ->type_name("0..1")
      ->group(kAnswer);
  app.add_option("--repeat-penalty", sampling.repeat_penalty, "Above 1: avoid tokens that came lately")
      ->check(AtLeast(0))
      ->type_name("X")
      ->group(kAnswer);
  app.add_option("--repeat-last-n", sampling.repeat_last_n, "How many tokens count as lately")
      ->check(AtLeast(0))
      ->type_name("TOKENS")
      ->group(kAnswer);
  app.add_option("--seed", sampling.seed, "The same seed draws the same tokens")
      ->check(Between(0, 4294967295.0))
      ->type_name("N")
      ->group(kAnswer);
  app.add_flag("--ignore-end", options.ignore_end, "Go on when the model ends its answer")->group(kAnswer);
}

}  // namespace ltri
