#include "eval/report/html_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/xml_text.h"
#include "eval/report/heat_map.h"
#include "eval/report/layer_chart.h"

namespace ltri {
namespace {

constexpr double kMega = 1e6;

constexpr const char* kStyle = R"(<style>
body { font: 15px/1.5 Helvetica, Arial, sans-serif; color: #1b2733; background: #fff; max-width: 1100px; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse; margin: 0.8em 0 1.6em; font-size: 14px }
th, td { padding: 0.25em 0.7em; text-align: right; border-bottom: 1px solid #dde3e8; white-space: nowrap }
th:first-child, td:first-child, td.name, th.name { text-align: left }
.quiet { color: #5a6b7b; font-size: 13px }
.maps { display: flex; flex-wrap: wrap; gap: 1em }
pre { background: #f4f6f8; padding: 1em; overflow-x: auto; font-size: 13px }
</style>)";

std::string Percent(double share) { return share < 0 ? "" : fmt::format("{:.1f}", 100 * share); }

std::string Row(const char* cell, const std::vector<std::string>& values) {
  std::string row = "<tr>";
  for (const std::string& value : values) row += fmt::format("<{0}>{1}</{0}>", cell, EscapeXml(value));
  return row + "</tr>\n";
}

std::string Range(const Interval& interval) {
  return fmt::format("{:.1f} to {:.1f}", 100 * interval.low, 100 * interval.high);
}

std::vector<std::string> FigureCells(const Figures& f) {
  const EvidenceUse& use = f.use;
  const auto of_known = [&](int64_t count) { return use.known == 0 ? "" : fmt::format("{}", count); };
  return {fmt::format("{}", f.count),
          Percent(f.score),
          Range(f.interval),
          Percent(f.recall_first),
          Percent(f.recall),
          Percent(f.mass),
          of_known(use.found_and_used),
          of_known(use.found_not_used),
          of_known(use.not_found),
          of_known(use.right_all_the_same),
          fmt::format("{:.0f}", f.prefill_rate),
          fmt::format("{:.1f}", f.decode_rate),
          fmt::format("{:.1f}", f.key_value_bytes / kMega),
          fmt::format("{:.2f}", f.index_bytes / kMega)};
}

std::vector<std::string> Head(std::vector<std::string> first) {
  first.insert(first.end(), {"samples", "score %", "95 % interval", "recall, 1st token %", "recall, 8 tokens %",
                             "dense mass %", "found and used", "found, not used", "not found", "right without",
                             "prefill tokens/s", "decode tokens/s", "KV MB", "index MB"});
  return first;
}

std::string SummaryTable(const Summary& summary) {
  std::string table = "<h2>Mean over tasks and lengths</h2>\n<table>\n" + Row("th", Head({"method", "tasks"}));
  for (const TargetFigures& target : summary.targets) {
    std::vector<std::string> cells = {target.target, fmt::format("{}", target.tasks)};
    const std::vector<std::string> figures = FigureCells(target.figures);
    cells.insert(cells.end(), figures.begin(), figures.end());
    table += Row("td", cells);
  }
  return table + "</table>\n";
}

std::string TaskTable(const Summary& summary) {
  std::string table = "<h2>Task by task</h2>\n<table>\n" + Row("th", Head({"task", "tokens", "method"}));
  for (const TaskFigures& task : summary.tasks) {
    std::vector<std::string> cells = {LabelOf(task.task, task.source),
                                      task.length > 0 ? fmt::format("{}", task.length) : "", task.target};
    const std::vector<std::string> figures = FigureCells(task.figures);
    cells.insert(cells.end(), figures.begin(), figures.end());
    table += Row("td", cells);
  }
  return table + "</table>\n";
}

std::string NeedleBench(const std::vector<NeedleBenchScore>& scores) {
  if (scores.empty()) return "";
  std::string table = "<h2>NeedleBench</h2>\n<table>\n" +
                      Row("th", {"method", "single", "multi", "reasoning", "overall", "trace, to 64 needles",
                                 "trace, weighted", "most needles at 50 %"});
  for (const NeedleBenchScore& s : scores) {
    table += Row("td", {s.target, Percent(s.single), Percent(s.multi), Percent(s.reasoning), Percent(s.overall),
                        Percent(s.trace_short), Percent(s.trace), fmt::format("{}", s.effective_needles)});
  }
  return table + "</table>\n";
}

std::string HeatMaps(const Summary& summary) {
  std::map<std::pair<std::string, std::string>, std::vector<DepthFigures>> maps;
  for (const DepthFigures& cell : summary.depths) maps[{cell.task, cell.target}].push_back(cell);
  if (maps.empty()) return "";
  std::string html = "<h2>Score by depth and length</h2>\n<div class=\"maps\">\n";
  for (const auto& [key, cells] : maps) html += DrawHeatMap(key.second + ": " + key.first, cells);
  return html + "</div>\n";
}

std::string Sources(const EvalReport& report) {
  std::map<std::string, std::string> sources;
  for (const TaskFigures& task : report.summary.tasks) sources[task.task] = task.source;
  std::string html = "<h2>Data</h2>\n<table>\n" + Row("th", {"task", "made from"});
  for (const auto& [task, source] : sources) {
    html += fmt::format("<tr><td>{}</td><td class=\"name\">{}</td></tr>\n", EscapeXml(task), EscapeXml(source));
  }
  for (const SkippedTask& task : report.skipped) {
    html += fmt::format("<tr><td>{}</td><td class=\"name\">skipped: {}</td></tr>\n", EscapeXml(task.task),
                        EscapeXml(task.reason));
  }
  return html + "</table>\n";
}

}  // namespace

std::string HtmlReport(const EvalReport& report) {
  std::string html = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  html += fmt::format("<title>{0}</title>\n{1}\n</head>\n<body>\n<h1>{0}</h1>\n", EscapeXml(report.title), kStyle);
  if (!report.complete) html += "<p><b>Stopped before the end:</b> the figures cover what was answered.</p>\n";
  html += SummaryTable(report.summary) + NeedleBench(report.needle_bench);
  if (const std::string chart = DrawLayerChart(report.summary.targets); !chart.empty()) {
    html +=
        "<h2>Evidence recall by layer</h2>\n<p class=\"quiet\">At the answer's first token, mean over heads and "
        "samples whose evidence is known.</p>\n" +
        chart;
  }
  html += HeatMaps(report.summary) + TaskTable(report.summary);
  html +=
      "<p class=\"quiet\">Found: at least half of the evidence was visible to the retrieval heads, mean over the first "
      "eight answer tokens. Used: the score is at least one half. Stand-ins are texts other than the benchmark's "
      "own: such results are not to be compared with published ones.</p>\n";
  html += Sources(report);
  const std::string settings = report.run.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  html += fmt::format("<h2>Settings</h2>\n<pre>{}</pre>\n</body>\n</html>\n", [&] {
    std::string lines;
    size_t begin = 0;
    for (size_t end = 0; end != std::string::npos; begin = end + 1) {
      end = settings.find('\n', begin);
      lines += EscapeXml(settings.substr(begin, end - begin)) + "\n";
    }
    return lines;
  }());
  return html;
}

}  // namespace ltri
