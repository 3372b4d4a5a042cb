#include "bench/depth_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <set>
#include <vector>

#include "base/xml_text.h"

namespace ltri {
namespace {

constexpr double kWidth = 760;
constexpr double kHeight = 420;
constexpr double kLeft = 62;
constexpr double kRight = 118;  // room for the names at the lines' ends
constexpr double kTop = 64;
constexpr double kBottom = 56;
constexpr double kNameGap = 15;

// Colours that people with any kind of sight tell apart; lighter on dark pages.
struct Colour {
  const char* light;
  const char* dark;
};
constexpr std::array<Colour, 5> kColours = {{{"#0072b2", "#56b4e9"},
                                             {"#d55e00", "#ff8c42"},
                                             {"#009e73", "#2ccfa0"},
                                             {"#cc79a7", "#e6a3c8"},
                                             {"#8a6d00", "#e6c84f"}}};

// A method has the same colour in every picture.
constexpr std::array<const char*, kColours.size()> kColoured = {"dense", "streaming", "infllm", "ltri", kPeerName};

struct Line {
  std::string name;
  size_t colour = 0;
  std::vector<std::pair<int64_t, double>> points;  // depth, tokens/s
};

size_t ColourOf(const std::string& method, size_t otherwise) {
  const auto* known = std::find(kColoured.begin(), kColoured.end(), method);
  return known == kColoured.end() ? otherwise % kColours.size() : static_cast<size_t>(known - kColoured.begin());
}

// One line a method, in the order in which they were measured.
std::vector<Line> Lines(const BenchReport& report, const std::string& type) {
  std::vector<Line> lines;
  for (const BenchRow& row : report.rows) {
    if (row.section != BenchSection::kDecode || row.weight_type != type) continue;
    auto line = std::find_if(lines.begin(), lines.end(), [&](const Line& l) { return l.name == row.method; });
    if (line == lines.end()) line = lines.insert(lines.end(), Line{row.method, ColourOf(row.method, lines.size()), {}});
    line->points.emplace_back(row.tokens, row.tokens_per_second());
  }
  for (Line& line : lines) std::sort(line.points.begin(), line.points.end());
  return lines;
}

std::string DepthName(int64_t depth) {
  if (depth >= 1048576 && depth % 1048576 == 0) return fmt::format("{}M", depth / 1048576);
  return depth >= 1024 && depth % 1024 == 0 ? fmt::format("{}K", depth / 1024) : fmt::format("{}", depth);
}

// 1, 2 or 5 times a power of ten, so that about five of them reach `most`.
double NiceStep(double most) {
  const double rough = std::max(most, 1e-3) / 5;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) return factor * power;
  }
  return 10 * power;
}

class Canvas {
 public:
  Canvas(const BenchReport& report, std::string type, std::vector<Line> lines)
      : report_(report), type_(std::move(type)), lines_(std::move(lines)) {
    double most = 0;
    for (const Line& line : lines_) {
      for (const auto& [depth, rate] : line.points) {
        depths_.insert(depth);
        most = std::max(most, rate);
      }
    }
    step_ = NiceStep(most);
    top_ = step_ * std::max(1.0, std::ceil(most / step_));
    const auto first = depths_.upper_bound(0);
    // Depth 0 has its place one doubling to the left of the least other.
    least_ = first == depths_.end() ? 0.0 : std::log2(static_cast<double>(*first));
    if (depths_.contains(0)) least_ -= 1;
    most_ = depths_.empty() ? 1.0 : std::log2(std::max(2.0, static_cast<double>(*depths_.rbegin())));
    if (most_ <= least_) most_ = least_ + 1;
  }

  std::string Draw() {
    Head();
    Axes();
    Curves();
    Names();
    out_ += "</svg>\n";
    return std::move(out_);
  }

 private:
  template <typename... Args>
  void Put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    out_ += '\n';
  }

  double X(int64_t depth) const {
    const double at = depth == 0 ? least_ : std::log2(static_cast<double>(depth));
    return kLeft + (at - least_) / (most_ - least_) * (kWidth - kLeft - kRight);
  }
  double Y(double rate) const { return kHeight - kBottom - rate / top_ * (kHeight - kTop - kBottom); }

  void Head() {
    Put(R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0:.0f} {1:.0f}" width="{0:.0f}" height="{1:.0f}" font-family="Helvetica, Arial, sans-serif" font-size="12">)",
        kWidth, kHeight);
    out_ += R"(<style>@media (prefers-color-scheme: dark) {
.page { fill: #0d1117 } .ink { fill: #e6edf3 } .quiet { fill: #9aa7b4 } .grid { stroke: #2b333c }
)";
    for (size_t i = 0; i < kColours.size(); ++i) {
      Put(".line{0} {{ stroke: {1} }} .dot{0} {{ fill: {1} }}", i, kColours[i].dark);
    }
    out_ += "}</style>\n";
    Put(R"svg(<rect width="100%" height="100%" class="page" fill="#ffffff"/>)svg");
    Put(R"svg(<text x="{:.0f}" y="26" font-size="17" class="ink" fill="#1b2733">Decoding behind a long text</text>)svg",
        kLeft);
    const std::string model = std::filesystem::path(report_.model).stem().string();
    Put(R"svg(<text x="{:.0f}" y="46" class="quiet" fill="#5a6b7b">{}</text>)svg", kLeft,
        EscapeXml(fmt::format("{}, weights {}, {} threads, medians of {} runs", model, type_, report_.threads,
                              report_.runs)));
  }

  void Axes() {
    for (double rate = 0; rate <= top_ * 1.001; rate += step_) {
      Put(R"svg(<path d="M{:.1f} {:.1f}H{:.1f}" class="grid" stroke="#dde3e8"/>)svg", kLeft, Y(rate), kWidth - kRight);
      Put(R"svg(<text x="{:.1f}" y="{:.1f}" text-anchor="end" class="quiet" fill="#5a6b7b">{:g}</text>)svg", kLeft - 8,
          Y(rate) + 4, rate);
    }
    for (const int64_t depth : depths_) {
      Put(R"svg(<text x="{:.1f}" y="{:.1f}" text-anchor="middle" class="quiet" fill="#5a6b7b">{}</text>)svg", X(depth),
          kHeight - kBottom + 19, DepthName(depth));
    }
    Put(R"svg(<text x="{:.1f}" y="{:.1f}" text-anchor="middle" class="ink" fill="#1b2733">tokens before</text>)svg",
        (kLeft + kWidth - kRight) / 2, kHeight - 14);
    Put(R"svg(<text transform="translate(16 {:.1f}) rotate(-90)" text-anchor="middle" class="ink" fill="#1b2733">tokens a second</text>)svg",
        (kTop + kHeight - kBottom) / 2);
  }

  void Curves() {
    for (size_t i = 0; i < lines_.size(); ++i) {
      std::string path;
      for (const auto& [depth, rate] : lines_[i].points) {
        path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", X(depth), Y(rate));
      }
      const bool peer = lines_[i].name == kPeerName;
      Put(R"svg(<path d="{}" fill="none" stroke-width="2.2" stroke-linejoin="round"{} class="line{}" stroke="{}"/>)svg",
          path, peer ? R"( stroke-dasharray="6 4")" : "", lines_[i].colour, kColours[lines_[i].colour].light);
      for (const auto& [depth, rate] : lines_[i].points) {
        Put(R"svg(<circle cx="{:.1f}" cy="{:.1f}" r="3.2" class="dot{}" fill="{}"/>)svg", X(depth), Y(rate),
            lines_[i].colour, kColours[lines_[i].colour].light);
      }
    }
  }

  // Each at its line's end. Names that would overlap move apart, and none goes below the axis.
  void Names() {
    std::vector<size_t> order(lines_.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    const auto end = [this](size_t i) { return Y(lines_[i].points.back().second); };
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return end(a) > end(b); });
    double below = Y(0) + kNameGap;
    for (const size_t i : order) {
      below = std::min(end(i), below - kNameGap);
      Put(R"svg(<text x="{:.1f}" y="{:.1f}" font-size="13" class="dot{}" fill="{}">{}</text>)svg",
          X(lines_[i].points.back().first) + 9, below + 4, lines_[i].colour, kColours[lines_[i].colour].light,
          EscapeXml(lines_[i].name));
    }
  }

  const BenchReport& report_;
  std::string type_;
  std::vector<Line> lines_;
  std::set<int64_t> depths_;
  double step_ = 1;
  double top_ = 1;
  double least_ = 0;  // of log2(depth)
  double most_ = 1;
  std::string out_;
};

}  // namespace

std::string DrawDepthChart(const BenchReport& report) {
  const auto row = std::find_if(report.rows.begin(), report.rows.end(),
                                [](const BenchRow& r) { return r.section == BenchSection::kDecode; });
  const std::string type = row == report.rows.end() ? "" : row->weight_type;
  return Canvas(report, type, Lines(report, type)).Draw();
}

}  // namespace ltri
