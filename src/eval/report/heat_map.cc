#include "eval/report/heat_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

#include "base/xml_text.h"

namespace ltri {
namespace {

constexpr double kCellWidth = 54;
constexpr double kCellHeight = 24;
constexpr double kLeft = 62;
constexpr double kTop = 34;
constexpr double kBottom = 40;

// From red over white to blue, which people with any kind of sight tell apart.
std::string Colour(double score) {
  constexpr int kEnds[3][3] = {{178, 24, 43}, {247, 247, 247}, {33, 102, 172}};
  const double at = std::clamp(score, 0.0, 1.0) * 2;
  const int from = at < 1 ? 0 : 1;
  const double share = at - from;
  const auto mix = [&](int channel) {
    return static_cast<int>(std::lround(kEnds[from][channel] * (1 - share) + kEnds[from + 1][channel] * share));
  };
  return fmt::format("#{:02x}{:02x}{:02x}", mix(0), mix(1), mix(2));
}

}  // namespace

std::string DrawHeatMap(const std::string& title, const std::vector<DepthFigures>& cells) {
  std::set<int64_t> lengths;
  std::set<double> depths;
  for (const DepthFigures& cell : cells) {
    lengths.insert(cell.length);
    depths.insert(cell.depth);
  }
  const double width = kLeft + kCellWidth * static_cast<double>(lengths.size()) + 16;
  const double height = kTop + kCellHeight * static_cast<double>(depths.size()) + kBottom;
  const auto x = [&](int64_t length) {
    return kLeft + kCellWidth * static_cast<double>(std::distance(lengths.begin(), lengths.find(length)));
  };
  const auto y = [&](double depth) {
    return kTop + kCellHeight * static_cast<double>(std::distance(depths.begin(), depths.find(depth)));
  };
  std::string svg;
  const auto put = [&](auto format, auto... parts) {
    fmt::format_to(std::back_inserter(svg), fmt::runtime(format), parts...);
    svg += '\n';
  };
  put(R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0:.0f} {1:.0f}" width="{0:.0f}" height="{1:.0f}" font-family="Helvetica, Arial, sans-serif" font-size="11" fill="#1b2733">)",
      std::max(width, 240.0), height);
  put(R"(<text x="4" y="16" font-size="13">{}</text>)", EscapeXml(title));
  for (const DepthFigures& cell : cells) {
    const bool dark = std::abs(cell.score - 0.5) > 0.3;
    put(R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="{}"><title>{} tokens, depth {:.0f} %: {:.1f} of {}</title></rect>)",
        x(cell.length), y(cell.depth), kCellWidth - 1, kCellHeight - 1, Colour(cell.score), cell.length,
        100 * cell.depth, 100 * cell.score, cell.count);
    put(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="middle" fill="{}">{:.0f}</text>)", x(cell.length) + kCellWidth / 2,
        y(cell.depth) + kCellHeight / 2 + 4, dark ? "#ffffff" : "#1b2733", 100 * cell.score);
  }
  for (const double depth : depths) {
    put(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="end">{:.0f} %</text>)", kLeft - 6, y(depth) + kCellHeight / 2 + 4,
        100 * depth);
  }
  for (const int64_t length : lengths) {
    put(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)", x(length) + kCellWidth / 2,
        height - kBottom + 16, length);
  }
  put(R"(<text x="{:.1f}" y="{:.1f}">depth down, tokens across</text>)", 4.0, height - 6);
  return svg + "</svg>\n";
}

}  // namespace ltri
