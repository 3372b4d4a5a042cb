#include "eval/report/text_table.h"

#include <fmt/format.h>

namespace ltri {
namespace {

constexpr double kMega = 1e6;

std::string Percent(double share) { return share < 0 ? "-" : fmt::format("{:.1f}", 100 * share); }

std::string Range(const Interval& interval) {
  return fmt::format("{:.0f}-{:.0f}", 100 * interval.low, 100 * interval.high);
}

std::string FigureCells(const Figures& f) {
  return fmt::format(" {:>4} {:>6} {:>8} {:>6} {:>6} {:>8.0f} {:>8.1f} {:>8.1f}\n", f.count, Percent(f.score),
                     Range(f.interval), Percent(f.recall_first), Percent(f.recall), f.prefill_rate, f.decode_rate,
                     (f.key_value_bytes + f.index_bytes) / kMega);
}

std::string Heads(const std::string& above, const std::string& below) {
  constexpr const char* kFormat = " {:>4} {:>6} {:>8} {:>6} {:>6} {:>8} {:>8} {:>8}\n";
  return above + fmt::format(kFormat, "", "score", "95%", "recall", "recall", "prefill", "decode", "session") + below +
         fmt::format(kFormat, "n", "%", "interval", "1st %", "8 %", "tokens/s", "tokens/s", "MB");
}

std::string TaskNames(const std::string& task, const std::string& length, const std::string& method) {
  return fmt::format("{:<34} {:>7} {:<12}", task, length, method);
}

std::string TargetNames(const std::string& method, const std::string& tasks) {
  return fmt::format("{:<24} {:>5}", method, tasks);
}

}  // namespace

std::string TaskTableHead() { return Heads(TaskNames("", "", ""), TaskNames("task", "tokens", "method")); }

std::string TaskTableLine(const TaskFigures& row) {
  const std::string label = row.task + (IsStandIn(row.source) ? " *" : "");
  const std::string length = row.length > 0 ? fmt::format("{}", row.length) : "";
  return TaskNames(label, length, row.target) + FigureCells(row.figures);
}

std::string SummaryTable(const Summary& summary) {
  std::string table = Heads(TargetNames("mean of tasks", ""), TargetNames("method", "tasks"));
  for (const TargetFigures& target : summary.targets) {
    table += TargetNames(target.target, fmt::format("{}", target.tasks)) + FigureCells(target.figures);
  }
  return table;
}

std::string NeedleBenchTable(const std::vector<NeedleBenchScore>& scores) {
  const auto line = [](auto... parts) {
    return fmt::format("{:<20} {:>8} {:>8} {:>10} {:>8} {:>10} {:>10} {:>8}\n", parts...);
  };
  std::string table = line("NeedleBench", "single", "multi", "reasoning", "overall", "trace <=64", "trace", "ENL-50");
  for (const NeedleBenchScore& s : scores) {
    table += line(s.target, Percent(s.single), Percent(s.multi), Percent(s.reasoning), Percent(s.overall),
                  Percent(s.trace_short), Percent(s.trace), fmt::format("{}", s.effective_needles));
  }
  return table;
}

}  // namespace ltri
