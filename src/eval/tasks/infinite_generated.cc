// Infinity-Bench's six synthetic tasks, made by its rules at any length.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "eval/score/text_units.h"
#include "eval/tasks/draw.h"
#include "eval/tasks/infinite_bench.h"
#include "eval/tasks/prompt_text.h"
#include "eval/tasks/ruler.h"

namespace ltri {
namespace {

constexpr int64_t kPlaces = 59;    // of the hidden number, evenly over the text
constexpr int64_t kPairSets = 50;  // of the wanted pair

// Where sample `index` hides what it hides: places take turns, so that few samples cover the text too; the first lies
// within it, not at its start.
double PlaceOf(int64_t index, int64_t places) {
  const int64_t turn =
      (std::max<int64_t>(0, index) + 1) * 23 % places;  // 23 and the number of places have no common factor
  return static_cast<double>(turn) / static_cast<double>(places - 1);
}

// Puts the context into the task's prompt.
void Finish(const TaskContext& context, const std::string& name, const PromptText& hidden, const std::string& input,
            const std::vector<std::pair<std::string, std::string>>& fields, Sample* sample) {
  const InfinitePrompt& form = InfinitePromptOf(name);
  const auto fill = [&](std::string text) {
    text = ReplaceAll(std::move(text), "{input}", input);
    for (const auto& [field, value] : fields) text = ReplaceAll(std::move(text), field, value);
    return text;
  };
  const std::string whole = context.chat ? form.chat : form.plain;
  const size_t at = whole.find("{context}");
  PromptText prompt(fill(whole.substr(0, at)));
  prompt.Add(hidden).Add(fill(whole.substr(at + std::string_view("{context}").size())));
  std::move(prompt).MoveTo(sample);
  if (!context.chat) sample->answer_prefix = fill(form.prefix);
  sample->scorer = form.scorer;
  sample->max_tokens = form.max_tokens;
}

// Noise lines with one sentence that says the number twice, where it has a #.
PromptText HideNumber(int64_t lines, double place, const std::string& number, const char* sentence) {
  const std::vector<std::string> parts = SplitAt(sentence, '#');
  const auto before = static_cast<int64_t>(std::llround(place * static_cast<double>(lines)));
  PromptText text;
  for (int64_t i = 0; i <= lines; ++i) {
    if (i == before) text.Add(parts[0]).Mark(number).Add(parts[1]).Mark(number).Add(parts[2]);
    if (i < lines) text.Add(kNoiseLine).Add("\n");
  }
  return text;
}

Status PassKey(const TaskContext& context, int64_t size, Random& random, Sample* sample) {
  const std::string key = DrawDigits(random, 5);
  const PromptText text =
      HideNumber(size, PlaceOf(sample->index, kPlaces), key, "The pass key is #. Remember it. # is the pass key.\n");
  Finish(context, "passkey", text, "What is the pass key?", {}, sample);
  sample->references = {key};
  return {};
}

// Ten digits: five, then five times a copy of one beside itself.
Status NumberString(const TaskContext& context, int64_t size, Random& random, Sample* sample) {
  std::string digits = DrawDigits(random, 5);
  while (digits.size() < 10) {
    const auto at = static_cast<size_t>(random.Below(static_cast<int64_t>(digits.size())));
    digits.insert(at, 1, digits[at]);
  }
  const PromptText text = HideNumber(size, PlaceOf(sample->index, kPlaces), digits,
                                     "The sequence of digits is #. Remember it. # is the sequence of digits.\n");
  Finish(context, "number_string", text, "What is the sequence of digits?", {}, sample);
  sample->references = {digits};
  return {};
}

Status KeyValuePairs(const TaskContext& context, int64_t size, Random& random, Sample* sample) {
  const auto wanted = static_cast<int64_t>(PlaceOf(sample->index, kPairSets + 1) * static_cast<double>(size - 1));
  PromptText text("JSON data:\n{");
  std::string key;
  for (int64_t i = 0; i < size; ++i) {
    const std::string k = DrawUuid(random);
    const std::string v = DrawUuid(random);
    text.Add(fmt::format("{}\"{}\": \"", i == 0 ? "" : ", ", k));
    if (i == wanted) {
      key = k;
      text.Mark(v);
      sample->references = {v};
    } else {
      text.Add(v);
    }
    text.Add("\"");
  }
  text.Add("}");
  Finish(context, "kv_retrieval", text,
         fmt::format("\nKey: \"{}\"\nThe value associated with the specified key is: ", key), {}, sample);
  return {};
}

// The wanted number of a list, and where its copies are.
std::string WantedNumber(const std::string& kind, const std::vector<int64_t>& list, int64_t* number) {
  std::vector<int64_t> sorted = list;
  std::sort(sorted.begin(), sorted.end());
  *number = -1;
  if (kind == "median") {
    const size_t n = sorted.size();
    if (n % 2 == 1) return std::to_string(*number = sorted[n / 2]);
    return fmt::format("{:.1f}", static_cast<double>(sorted[n / 2 - 1] + sorted[n / 2]) / 2);
  }
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  const size_t rank = kind.starts_with("second") ? 1 : kind.starts_with("third") ? 2 : 0;
  *number = kind.ends_with("largest") ? sorted[sorted.size() - 1 - rank] : sorted[rank];
  return std::to_string(*number);
}

// The greatest number becomes less than it could be, or the least more, so that the answer is not always 99 or 0.
void MoveExtreme(bool largest, Random& random, std::vector<int64_t>& list) {
  const int64_t bound = largest ? Between(random, 79, 99) : Between(random, 0, 19);
  for (int64_t& number : list) number = largest ? std::min(number, bound) : std::max(number, bound);
}

Status MathFindNumber(const TaskContext& context, int64_t size, Random& random, Sample* sample) {
  constexpr const char* kKinds[] = {"largest",         "second largest", "third largest", "smallest",
                                    "second smallest", "third smallest", "median"};
  const std::string kind = kKinds[static_cast<size_t>(std::max<int64_t>(0, sample->index)) % std::size(kKinds)];
  std::vector<int64_t> list;
  for (int64_t i = 0; i < size; ++i) list.push_back(random.Below(100));
  MoveExtreme(kind == "median" ? random.Below(2) == 0 : kind.ends_with("largest"), random, list);
  int64_t wanted = 0;
  sample->references = {WantedNumber(kind, list, &wanted)};
  PromptText text("[");
  for (size_t i = 0; i < list.size(); ++i) {
    text.Add(i == 0 ? "" : ", ");
    list[i] == wanted&& kind != "median" ? text.Mark(std::to_string(list[i])) : text.Add(std::to_string(list[i]));
  }
  text.Add("]");
  Finish(context, "math_find", text,
         fmt::format("You should answer with only one number, no other words. The {} number of the list is: ", kind),
         {{"{kind}", kind}}, sample);
  return {};
}

Status MathCalculate(const TaskContext& context, int64_t size, Random& random, Sample* sample) {
  int64_t value = random.Below(100);
  std::string expression = std::to_string(value);
  const std::string first = expression;
  for (int64_t i = 1; i < size; ++i) {
    const bool plus = random.Below(2) == 0;
    int64_t operand = 0;
    do {
      operand = random.Below(100);
    } while (value + (plus ? operand : -operand) < 0 || value + (plus ? operand : -operand) > 99);
    value += plus ? operand : -operand;
    expression += fmt::format(" {} {}", plus ? '+' : '-', operand);
    sample->references.push_back(std::to_string(value));
  }
  Finish(context, "math_calc", PromptText(expression), "", {{"{first}", first}}, sample);
  // A value and a comma for each operator.
  sample->max_tokens = std::min<int64_t>(sample->max_tokens, 4 * size);
  return {};
}

// Functions in layers: each of a layer calls one of the next.
struct Functions {
  std::vector<int64_t> indices;  // in their names
  std::vector<int64_t> calls;    // which of them; -1: none
  std::vector<int64_t> adds;
  int64_t start = 0;  // of the first layer, the one that is called
};

Functions DrawFunctions(int64_t count, int64_t layers, Random& random) {
  Functions f;
  f.indices = DrawDistinct(random, 2 * count, count);
  std::vector<std::vector<int64_t>> members(static_cast<size_t>(layers));
  const auto layer_of = [&](int64_t i) { return static_cast<size_t>(i * layers / count); };
  for (int64_t i = 0; i < count; ++i) members[layer_of(i)].push_back(i);
  for (int64_t i = 0; i < count; ++i) {
    const size_t next = layer_of(i) + 1;
    f.adds.push_back(Between(random, -12, 17));
    f.calls.push_back(next < members.size() ? Choose(random, members[next]) : -1);
  }
  f.start = Choose(random, members.front());
  return f;
}

std::string NameOf(const Functions& f, int64_t i) {
  return fmt::format("func_{}", f.indices[static_cast<size_t>(i)] + 1);
}

std::string CodeOf(const Functions& f, size_t i) {
  const std::string inner = f.calls[i] < 0 ? "x" : NameOf(f, f.calls[i]) + "(x)";
  const std::string term = f.adds[i] == 0 ? "" : fmt::format(" {} {}", f.adds[i] < 0 ? '-' : '+', std::abs(f.adds[i]));
  return fmt::format("def {}(x):\n    return {}{}\n", NameOf(f, static_cast<int64_t>(i)), inner, term);
}

Status CodeRunValue(const TaskContext& context, int64_t size, Random& random, Sample* sample) {
  const int64_t layers = 2 + 2 * (std::max<int64_t>(0, sample->index) % 5);
  const Functions functions = DrawFunctions(size, layers, random);
  const int64_t argument = Between(random, -10, 10);
  std::vector<uint8_t> on_path(functions.indices.size(), 0);
  int64_t value = argument;
  for (int64_t i = functions.start; i >= 0; i = functions.calls[static_cast<size_t>(i)]) {
    on_path[static_cast<size_t>(i)] = 1;
    value += functions.adds[static_cast<size_t>(i)];
  }
  std::vector<size_t> order(functions.indices.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return functions.indices[a] < functions.indices[b]; });
  PromptText text("\nHere is the content of functions_module.py:\n\n");
  for (const size_t i : order) {
    const std::string code = CodeOf(functions, i);
    (on_path[i] != 0 ? text.Mark(code) : text.Add(code)).Add("\n");
  }
  const std::string name = NameOf(functions, functions.start);
  Finish(context, "code_run", text, "", {{"{func}", name}, {"{call}", fmt::format("{}({})", name, argument)}}, sample);
  sample->references = {std::to_string(value)};
  return {};
}

}  // namespace

std::vector<InfiniteTask> InfiniteGenerated(const ContextPtr& context) {
  using Build = Status (*)(const TaskContext&, int64_t, Random&, Sample*);
  const auto task = [&](const char* name, int64_t least, Build build) {
    InfiniteTask made{name, {}};
    made.sized.least = least;
    made.sized.build = [context, build](int64_t size, Random& random, Sample* sample) {
      return build(*context, size, random, sample);
    };
    return made;
  };
  return {task("passkey", 1, PassKey),
          task("number_string", 1, NumberString),
          task("kv_retrieval", 1, KeyValuePairs),
          task("math_find", 8, MathFindNumber),
          task("math_calc", 2, MathCalculate),
          task("code_run", 20, CodeRunValue)};
}

}  // namespace ltri
