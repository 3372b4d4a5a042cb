// NeedleBench V2: the answer within the last \boxed{...}.
#include "eval/score/scorers.h"
#include "eval/score/text_units.h"

namespace ltri {
namespace {

constexpr const char* kNone = "None";

// From `at`, which is where a command begins, to its matching brace; empty when it is not closed.
std::string Command(const std::string& text, size_t at) {
  int depth = 0;
  for (size_t i = at; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return text.substr(at, i + 1 - at);
  }
  return "";
}

// \name{x} -> x, where x holds no brace.
std::string Unwrap(std::string text, const std::string& name) {
  const std::string start = "\\" + name + "{";
  for (size_t at = 0; (at = text.find(start, at)) != std::string::npos;) {
    const size_t inside = at + start.size();
    const size_t end = text.find('}', inside);
    if (end == std::string::npos || text.find('{', inside) < end) {
      at = inside;
      continue;
    }
    text = text.substr(0, at) + text.substr(inside, end - inside) + text.substr(end + 1);
  }
  return text;
}

std::string Clean(std::string text) {
  text = Unwrap(Unwrap(std::move(text), "text"), "boxed");
  text = ReplaceAll(ReplaceAll(std::move(text), "\\[", ""), "\\]", "");
  text = ReplaceAll(std::move(text), "\\", "");
  text = Join(Words(text), " ");
  text = ReplaceAll(ReplaceAll(std::move(text), "\"", ""), "'", "");
  return ReplaceAll(std::move(text), "~", " ");
}

}  // namespace

std::string BoxedAnswer(const std::string& prediction) {
  const std::string start = "\\boxed{";
  size_t at = prediction.rfind("\\boxed");
  if (at == std::string::npos) at = prediction.rfind("\\fbox");
  if (at == std::string::npos) return kNone;
  const std::string command = Command(prediction, at);
  if (!command.starts_with(start)) return kNone;
  std::string inside = command.substr(start.size(), command.size() - start.size() - 1);
  if (inside.size() >= 2 && inside.front() == '{' && inside.back() == '}') inside = inside.substr(1, inside.size() - 2);
  return inside.empty() ? kNone : Clean(std::move(inside));
}

double Boxed(const std::string& prediction, const References& golds) {
  const std::string answer = Trim(BoxedAnswer(prediction));
  for (const std::string& gold : golds) {
    if (answer == Trim(gold)) return 1;
  }
  return 0;
}

}  // namespace ltri
