// RULER's variable tracking: a chain of assignments in noise; which variables have the value?
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "eval/score/text_units.h"
#include "eval/tasks/draw.h"
#include "eval/tasks/prompt_text.h"
#include "eval/tasks/ruler.h"

namespace ltri {
namespace {

constexpr int64_t kHops = 4;
constexpr int64_t kAnswerTokens = 30;
constexpr int64_t kExampleLines = 10;

struct Chain {
  std::vector<std::string> names;
  std::string value;
};

Chain DrawChain(Random& random, int64_t letters, std::string value) {
  Chain chain{{}, std::move(value)};
  std::set<std::string> seen;
  while (chain.names.size() < kHops + 1) {
    const std::string name = DrawLetters(random, letters, 'A');
    if (seen.insert(name).second) chain.names.push_back(name);
  }
  return chain;
}

// The chain's assignments among `lines` lines of noise, and the question.
PromptText Ask(const Chain& chain, int64_t lines, Random& random) {
  std::vector<int64_t> places = DrawDistinct(random, lines, kHops + 1);
  std::sort(places.begin(), places.end());
  std::vector<PromptText> text;
  size_t next = 0;
  for (int64_t line = 0; line < lines; ++line) {
    text.emplace_back(kNoiseLine);
    if (next >= places.size() || places[next] != line) continue;
    const std::string right = next == 0 ? chain.value : fmt::format("VAR {} ", chain.names[next - 1]);
    text.emplace_back();
    text.back().Mark(fmt::format("VAR {} = {}", chain.names[next], right));
    ++next;
  }
  PromptText prompt("Memorize and track the chain(s) of variable assignment hidden in the following text.\n\n");
  prompt.Add(Joined(text, "\n"));
  prompt.Add(
      fmt::format("\nQuestion: Find all variables that are assigned the value {} in the text above.", chain.value));
  return prompt;
}

std::string Prefix(const Chain& chain) {
  return fmt::format(
      " Answer: According to the chain(s) of variable assignment in the text above, {} variables are assigned the "
      "value "
      "{}, they are: ",
      chain.names.size(), chain.value);
}

Status Build(int64_t lines, Random& random, Sample* sample) {
  const Chain shown = DrawChain(random, 3, "12345");
  PromptText prompt(Ask(shown, kExampleLines, random).text() + Prefix(shown) + Join(shown.names, " ") + "\n");
  const Chain chain = DrawChain(random, 5, std::to_string(Between(random, 10000, 99998)));
  prompt.Add(Ask(chain, lines, random));
  std::move(prompt).MoveTo(sample);
  sample->answer_prefix = Prefix(chain);
  sample->references = chain.names;
  sample->scorer = "string_match_all";
  sample->max_tokens = kAnswerTokens;
  return {};
}

}  // namespace

Result<RulerFamily> RulerVariables(const ContextPtr& /*context*/) {
  RulerTask task{"vt", "synthetic", {}};
  task.sized.build = Build;
  task.sized.least = kHops + 1;
  return RulerFamily{{task}, {}};
}

}  // namespace ltri
