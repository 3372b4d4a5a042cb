#include "ops/cpu/panels.h"

#include <algorithm>

// Vectors without a fixed size cannot stand in arrays; such CPUs take the fixed-size target.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/cpu/panels.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ltri {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::ScalableTag<float>;
using Vec = hn::Vec<Tag>;

constexpr int64_t kLanes = hn::MaxLanes(Tag());
constexpr int64_t kVectors = kLanes > 1 ? 2 : 4;
constexpr int64_t kWidth = kVectors * kLanes;  // outputs; a multiple of four
// Rows whose sums the registers hold. With 32 registers there is room for 14, but 8 keep both units busy and measure
// faster: their x stays in the first cache.
#if HWY_ARCH_ARM_A64 || HWY_TARGET <= HWY_AVX3
constexpr int64_t kMostRows = 8;
#else
constexpr int64_t kMostRows = 6;
#endif

int64_t Width() { return kWidth; }
int64_t Rows() { return kMostRows; }

template <int64_t kRows>
HWY_INLINE void Store(const Vec (*sums)[kVectors], bool add, float* y, int64_t y_stride, int64_t outputs) {
  const Tag tag;
  HWY_ALIGN float row[kWidth];
  for (int64_t i = 0; i < kRows; ++i, y += y_stride) {
    for (int64_t v = 0; v < kVectors; ++v) {
      float* at = outputs == kWidth ? y + v * kLanes : row + v * kLanes;
      hn::StoreU(add && outputs == kWidth ? hn::Add(hn::LoadU(tag, at), sums[i][v]) : sums[i][v], tag, at);
    }
    if (outputs == kWidth) continue;
    for (int64_t j = 0; j < outputs; ++j) y[j] = add ? y[j] + row[j] : row[j];
  }
}

// kRows rows of x times one panel, sums in registers.
template <int64_t kRows>
void Multiply(const float* HWY_RESTRICT x, int64_t x_stride, int64_t cols, const float* HWY_RESTRICT panel, bool add,
              float* y, int64_t y_stride, int64_t outputs) {
  const Tag tag;
  Vec sums[kRows][kVectors];
  for (auto& row : sums) {
    for (Vec& sum : row) sum = hn::Zero(tag);
  }
  for (int64_t c = 0; c < cols; ++c, panel += kWidth) {
    Vec w[kVectors];
    for (int64_t v = 0; v < kVectors; ++v) w[v] = hn::Load(tag, panel + v * kLanes);
    for (int64_t i = 0; i < kRows; ++i) {
      const Vec value = hn::Set(tag, x[i * x_stride + c]);
      for (int64_t v = 0; v < kVectors; ++v) sums[i][v] = hn::MulAdd(value, w[v], sums[i][v]);
    }
  }
  Store<kRows>(sums, add, y, y_stride, outputs);
}

template <int64_t kRows>
void MultiplyRows(const float* x, int64_t x_stride, int64_t rows, int64_t cols, const float* panel, bool add, float* y,
                  int64_t y_stride, int64_t outputs) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return MultiplyRows<kRows - 1>(x, x_stride, rows, cols, panel, add, y, y_stride, outputs);
  }
  Multiply<kRows>(x, x_stride, cols, panel, add, y, y_stride, outputs);
}

void MultiplyAll(const float* x, int64_t x_stride, int64_t rows, int64_t cols, const float* panel, bool add, float* y,
                 int64_t y_stride, int64_t outputs) {
  for (int64_t i = 0; i < rows; i += kMostRows) {
    MultiplyRows<kMostRows>(x + i * x_stride, x_stride, std::min(kMostRows, rows - i), cols, panel, add,
                            y + i * y_stride, y_stride, outputs);
  }
}

// Four by four at a time, within 128 bits.
void PackRows(const float* HWY_RESTRICT rows, int64_t cols, float* HWY_RESTRICT panel) {
  int64_t c = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::Full128<float> quad;
  const hn::Full128<double> pair;
  const auto halves = [&](hn::Vec<decltype(quad)> v) HWY_ATTR { return hn::BitCast(pair, v); };
  const auto store = [&](hn::Vec<decltype(pair)> v, float* to) HWY_ATTR { hn::Store(hn::BitCast(quad, v), quad, to); };
  for (; c + 4 <= cols; c += 4, panel += 4 * kWidth) {
    const auto a = hn::LoadU(quad, rows + c);
    const auto b = hn::LoadU(quad, rows + cols + c);
    const auto d = hn::LoadU(quad, rows + 2 * cols + c);
    const auto e = hn::LoadU(quad, rows + 3 * cols + c);
    const auto ab0 = halves(hn::InterleaveLower(quad, a, b));
    const auto ab1 = halves(hn::InterleaveUpper(quad, a, b));
    const auto de0 = halves(hn::InterleaveLower(quad, d, e));
    const auto de1 = halves(hn::InterleaveUpper(quad, d, e));
    store(hn::InterleaveLower(pair, ab0, de0), panel);
    store(hn::InterleaveUpper(pair, ab0, de0), panel + kWidth);
    store(hn::InterleaveLower(pair, ab1, de1), panel + 2 * kWidth);
    store(hn::InterleaveUpper(pair, ab1, de1), panel + 3 * kWidth);
  }
#endif
  for (; c < cols; ++c, panel += kWidth) {
    for (int64_t r = 0; r < 4; ++r) panel[r] = rows[r * cols + c];
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace ltri
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ltri {

HWY_EXPORT(Width);
HWY_EXPORT(Rows);
HWY_EXPORT(PackRows);
HWY_EXPORT(MultiplyAll);

int64_t PanelWidth() { return HWY_DYNAMIC_DISPATCH(Width)(); }
int64_t PanelRows() { return HWY_DYNAMIC_DISPATCH(Rows)(); }

void PackFourRows(const float* rows, int64_t cols, float* panel) { HWY_DYNAMIC_DISPATCH(PackRows)(rows, cols, panel); }

void MultiplyPanel(const float* x, int64_t x_stride, int64_t rows, int64_t cols, const float* panel, bool add, float* y,
                   int64_t y_stride, int64_t outputs) {
  HWY_DYNAMIC_DISPATCH(MultiplyAll)(x, x_stride, rows, cols, panel, add, y, y_stride, outputs);
}

}  // namespace ltri
#endif  // HWY_ONCE
