#include "eval/report/layer_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/xml_text.h"

namespace ltri {
namespace {

constexpr double kWidth = 720;
constexpr double kLeastHeight = 300;
constexpr double kLeft = 48;
constexpr double kRight = 190;  // room for the names
constexpr double kTop = 14;
constexpr double kBottom = 42;
constexpr double kNameLine = 17;

constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9", "#4a4a4a"};

double X(size_t layer, size_t layers) {
  return kLeft +
         (kWidth - kLeft - kRight) * static_cast<double>(layer) / std::max(1.0, static_cast<double>(layers) - 1);
}

double Y(double recall) { return kTop + (kLeastHeight - kTop - kBottom) * (1 - recall); }

}  // namespace

std::string DrawLayerChart(const std::vector<TargetFigures>& targets) {
  std::string svg;
  const double height = std::max(kLeastHeight, kTop + kNameLine * static_cast<double>(targets.size() + 1));
  const auto put = [&](auto format, auto... parts) {
    fmt::format_to(std::back_inserter(svg), fmt::runtime(format), parts...);
    svg += '\n';
  };
  put(R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0:.0f} {1:.0f}" width="{0:.0f}" height="{1:.0f}" font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#1b2733">)",
      kWidth, height);
  for (int percent = 0; percent <= 100; percent += 25) {
    const double y = Y(percent / 100.0);
    put(R"(<path d="M{:.1f} {:.1f}H{:.1f}" stroke="#dde3e8"/>)", kLeft, y, kWidth - kRight);
    put(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="end">{} %</text>)", kLeft - 6, y + 4, percent);
  }
  size_t drawn = 0;
  for (const TargetFigures& target : targets) {
    const std::vector<float>& recall = target.layer_recall;
    if (recall.empty()) continue;
    const char* colour = kColours[drawn % std::size(kColours)];
    std::string path;
    for (size_t layer = 0; layer < recall.size(); ++layer) {
      path += fmt::format("{}{:.1f} {:.1f}", layer == 0 ? "M" : "L", X(layer, recall.size()),
                          Y(static_cast<double>(recall[layer])));
    }
    put(R"(<path d="{}" fill="none" stroke-width="2" stroke="{}"/>)", path, colour);
    put(R"(<text x="{:.1f}" y="{:.1f}" fill="{}">{}</text>)", kWidth - kRight + 10,
        kTop + 12 + kNameLine * static_cast<double>(drawn), colour, EscapeXml(target.target));
    if (drawn++ == 0) {
      for (size_t layer = 0; layer < recall.size(); layer += std::max<size_t>(1, recall.size() / 10)) {
        put(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)", X(layer, recall.size()), kLeastHeight - 24,
            layer);
      }
    }
  }
  put(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="middle">layer</text>)", (kLeft + kWidth - kRight) / 2,
      kLeastHeight - 6);
  return drawn == 0 ? "" : svg + "</svg>\n";
}

}  // namespace ltri
