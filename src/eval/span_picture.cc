#include "eval/span_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/xml_text.h"

namespace ltri {
namespace {

constexpr double kStep = 9.0;    // pixels a token
constexpr double kTop = 76.0;    // room for the headings
constexpr double kText = 150.0;  // room for the tokens under the base line
constexpr double kSide = 30.0;
constexpr int64_t kMostLag = 64;  // higher ones are nearly empty

bool Touches(const SpanInfo& span, TokenRange range) { return span.begin < range.end && span.end > range.begin; }

class Canvas {
 public:
  explicit Canvas(const SpanPicture& picture)
      : p_(picture),
        width_(static_cast<double>(picture.shown.count()) * kStep + 2 * kSide),
        base_(kTop + static_cast<double>(kMostLag) * kStep / 2) {}

  std::string Draw() {
    Head();
    Cells();
    Triangles();
    Tokens();
    out_ += "</svg>\n";
    return std::move(out_);
  }

 private:
  template <typename... Args>
  void Put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    out_ += '\n';
  }

  double X(double token) const { return kSide + (token - static_cast<double>(p_.shown.begin)) * kStep; }

  void Head() {
    Put(R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0:.0f} {1:.0f}" width="{0:.0f}" height="{1:.0f}" font-family="Helvetica, Arial, sans-serif">)",
        width_, base_ + kText);
    Put(R"(<rect width="100%" height="100%" fill="#ffffff"/>)");
    Put(R"(<text x="{:.0f}" y="30" font-size="19" fill="#1b2733">{}</text>)", kSide, EscapeXml(p_.title));
    Put(R"(<text x="{:.0f}" y="53" font-size="13" fill="#5a6b7b">{}</text>)", kSide, EscapeXml(p_.subtitle));
  }

  // One diamond a cell, darker the more attention; the faintest are left out to keep the file small.
  void Cells() {
    float top = 0;
    for (const float value : p_.band.rows) top = std::max(top, value);
    if (top <= 0) return;
    for (int64_t i = p_.shown.begin; i < p_.shown.end; ++i) {
      for (int64_t lag = 1; lag <= std::min(kMostLag, p_.band.width); ++lag) {
        if (i - lag < p_.shown.begin) break;
        const auto at = static_cast<size_t>((i - p_.band.begin) * p_.band.width + lag - 1);
        const double strength = std::pow(static_cast<double>(p_.band.rows[at] / top), 0.5);
        if (strength < 0.12) continue;
        const double x = X(static_cast<double>(i) - static_cast<double>(lag) / 2 + 0.5);
        const double y = base_ - static_cast<double>(lag) * kStep / 2;
        const double r = kStep / 2;
        Put(R"(<path d="M{:.1f} {:.1f}l{:.1f} {:.1f}l{:.1f} {:.1f}l{:.1f} {:.1f}z" fill="#1f4e79" fill-opacity="{:.2f}"/>)",
            x - r, y, r, -r, r, r, -r, r, strength);
      }
    }
  }

  void Triangles() {
    for (const SpanInfo& span : p_.spans) {
      if (!Touches(span, p_.shown)) continue;
      const double left = X(static_cast<double>(std::max(span.begin, p_.shown.begin)));
      const double right = X(static_cast<double>(std::min(span.end, p_.shown.end)));
      const bool marked = Touches(span, p_.marked);
      Put(R"(<path d="M{:.1f} {:.1f}L{:.1f} {:.1f}L{:.1f} {:.1f}z" fill="{}" fill-opacity="0.22" stroke="{}" stroke-width="{}"/>)",
          left, base_, (left + right) / 2, std::max(kTop, base_ - (right - left) / 2), right, base_,
          marked ? "#e4572e" : "#8fa3b5", marked ? "#c8401a" : "#8fa3b5", marked ? 2.2 : 1.0);
    }
  }

  void Tokens() {
    for (int64_t i = p_.shown.begin; i < p_.shown.end; ++i) {
      const bool marked = i >= p_.marked.begin && i < p_.marked.end;
      const double x = X(static_cast<double>(i)) + kStep * 0.75;
      Put(R"svg(<text transform="translate({:.1f} {:.1f}) rotate(-90)" text-anchor="end" font-size="9" fill="{}"{}>{}</text>)svg",
          x, base_ + 6, marked ? "#c8401a" : "#5a6b7b", marked ? R"( font-weight="bold")" : "",
          EscapeXml(p_.pieces[static_cast<size_t>(i - p_.shown.begin)]));
    }
  }

  const SpanPicture& p_;
  double width_;
  double base_;
  std::string out_;
};

}  // namespace

std::string DrawSpans(const SpanPicture& picture) { return Canvas(picture).Draw(); }

}  // namespace ltri
