#include "ops/cuda/pack.h"

#include <algorithm>
#include <cstring>

#include "ops/convert.h"
#include "weights/ggml_types.h"

namespace ltri::cuda {
namespace {

// Rounds what a half can hold; scales are small, so what is beyond its range is damage.
Half ToHalf(float x) { return HalfFromFloat(std::clamp(x, -65504.0F, 65504.0F)); }

template <typename T>
T Read(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

float ReadHalf(const std::byte* from) { return FloatFromHalf(Read<Half>(from)); }
uint32_t ReadByte(const std::byte* from) { return static_cast<uint32_t>(*from); }

// One row's numbers and scales, written from the front.
struct Writer {
  std::byte* values;
  std::byte* scales;

  void Scale(float scale) {
    const Half half = ToHalf(scale);
    std::memcpy(scales, &half, sizeof(half));
    scales += sizeof(half);
  }
  void Number(int32_t number) { *values++ = static_cast<std::byte>(number); }
  // 32 numbers of 4 bits.
  void Group(const uint8_t* numbers, float scale, float minimum) {
    for (int j = 0; j < 16; ++j) Number(numbers[j] | numbers[j + 16] << 4);
    Scale(scale);
    Scale(minimum);
  }
};

// Q4_0 and Q4_1 have their nibbles in our order already.
void PackQ4Block(const std::byte* block, bool has_minimum, Writer& to) {
  const float scale = ReadHalf(block);
  const float minimum = has_minimum ? ReadHalf(block + 2) : -8 * scale;
  to.values = std::copy_n(block + (has_minimum ? 4 : 2), 16, to.values);
  to.Scale(scale);
  to.Scale(minimum);
}

// 8 groups of 32 with 6-bit scales and minima, packed into 12 bytes.
void PackQ4K(const std::byte* block, Writer& to) {
  const float d = ReadHalf(block);
  const float d_min = ReadHalf(block + 2);
  const std::byte* packed = block + 4;
  const std::byte* numbers = block + 16;
  for (int g = 0; g < 8; ++g) {
    uint32_t scale = ReadByte(packed + g) & 63U;
    uint32_t minimum = ReadByte(packed + g + 4) & 63U;
    if (g >= 4) {
      scale = (ReadByte(packed + g + 4) & 15U) | (ReadByte(packed + g - 4) >> 6 << 4);
      minimum = ReadByte(packed + g + 4) >> 4 | (ReadByte(packed + g) >> 6 << 4);
    }
    uint8_t group[32];
    for (int j = 0; j < 32; ++j) {
      group[j] = static_cast<uint8_t>(ReadByte(numbers + g / 2 * 32 + j) >> (g % 2 * 4) & 15U);
    }
    to.Group(group, d * static_cast<float>(scale), -d_min * static_cast<float>(minimum));
  }
}

// 16 groups of 16: low 4 bits, high 2 bits, 8-bit scales.
void PackQ6K(const std::byte* block, Writer& to) {
  const std::byte* scales = block + 192;
  const float d = ReadHalf(block + 208);
  for (int i = 0; i < 256; ++i) {
    const int part = i % 128 / 32;  // of 32, within half a block
    const std::byte* low = block + i / 128 * 64 + part % 2 * 32 + i % 32;
    const std::byte* high = block + 128 + i / 128 * 32 + i % 32;
    const uint32_t number = (ReadByte(low) >> (part / 2 * 4) & 15U) | (ReadByte(high) >> (part * 2) & 3U) << 4;
    to.Number(static_cast<int32_t>(number) - 32);
    if (i % 16 == 0) to.Scale(d * static_cast<float>(Read<int8_t>(scales + i / 16)));
  }
}

void PackQ8Block(const std::byte* block, Writer& to) {
  to.Scale(ReadHalf(block));
  to.values = std::copy_n(block + 2, 32, to.values);
}

void PackRow(const Matrix& w, const std::byte* from, Writer to) {
  const int64_t blocks = w.cols / TypeBlockValues(w.type);
  const int64_t bytes = TypeBlockBytes(w.type);
  for (int64_t b = 0; b < blocks; ++b, from += bytes) {
    switch (w.type) {
      case kTypeQ4_0:
      case kTypeQ4_1:
        PackQ4Block(from, w.type == kTypeQ4_1, to);
        break;
      case kTypeQ4K:
        PackQ4K(from, to);
        break;
      case kTypeQ6K:
        PackQ6K(from, to);
        break;
      default:
        PackQ8Block(from, to);
    }
  }
}

void PackHalves(const Matrix& w, Packing packing, const std::byte* from, std::byte* to, std::vector<float>& floats) {
  if (packing == Packing::kBfloat || w.type == kTypeF16) {
    std::copy_n(from, w.cols * 2, to);
    return;
  }
  floats.resize(static_cast<size_t>(w.cols));
  DequantizeRow(w.type, from, floats.data(), w.cols);
  FloatToHalf(floats.data(), w.cols, reinterpret_cast<Half*>(to));
}

}  // namespace

Packing PackingOf(int type, Float16 beside) {
  switch (type) {
    case kTypeBf16:
      return beside == Float16::kBfloat ? Packing::kBfloat : Packing::kHalf;
    case kTypeQ4_0:
    case kTypeQ4_1:
    case kTypeQ4K:
      return Packing::kInt4;
    case kTypeQ8_0:
    case kTypeQ6K:
      return Packing::kInt8;
    default:
      return Packing::kHalf;
  }
}

int64_t ValueBytes(Packing packing, int64_t cols) {
  if (packing == Packing::kInt4) return cols / 2;
  return packing == Packing::kInt8 ? cols : cols * 2;
}

int64_t ScaleBytes(Packing packing, int64_t group, int64_t cols) {
  if (packing == Packing::kInt4) return cols / group * 4;
  return packing == Packing::kInt8 ? cols / group * 2 : 0;
}

PackedMatrix PackMatrix(const Matrix& w, Float16 beside, std::span<const int32_t> order, bool as_halves) {
  PackedMatrix packed;
  packed.packing = PackingOf(w.type, beside);
  bool small = packed.packing == Packing::kInt4 || packed.packing == Packing::kInt8;
  if (small && as_halves) {
    packed.packing = Packing::kHalf;
    small = false;
  }
  packed.rows = order.empty() ? w.rows : static_cast<int64_t>(order.size());
  packed.cols = w.cols;
  packed.group = small && w.type == kTypeQ6K ? 16 : 32;
  const int64_t row_bytes = ValueBytes(packed.packing, w.cols);
  const int64_t scale_bytes = ScaleBytes(packed.packing, packed.group, w.cols);
  packed.values.resize(static_cast<size_t>(packed.rows * row_bytes));
  packed.scales.resize(static_cast<size_t>(packed.rows * scale_bytes));
  std::vector<float> floats;
  for (int64_t r = 0; r < packed.rows; ++r) {
    const int64_t source = order.empty() ? r : order[static_cast<size_t>(r)];
    if (source < 0) continue;
    const std::byte* from = w.data + source * w.row_bytes;
    std::byte* to = packed.values.data() + r * row_bytes;
    if (small) {
      PackRow(w, from, {to, packed.scales.data() + r * scale_bytes});
    } else {
      PackHalves(w, packed.packing, from, to, floats);
    }
  }
  return packed;
}

PackedMatrix PadColumns(const PackedMatrix& w, int64_t part, int64_t padded) {
  PackedMatrix wide;
  wide.packing = w.packing;
  wide.rows = w.rows;
  wide.cols = w.cols / part * padded;
  wide.group = w.group;
  const auto spread = [&](const std::vector<std::byte>& from, int64_t part_bytes, int64_t padded_bytes) {
    if (from.empty()) return std::vector<std::byte>();
    const int64_t parts = w.rows * (w.cols / part);
    std::vector<std::byte> to(static_cast<size_t>(parts * padded_bytes));
    for (int64_t i = 0; i < parts; ++i) {
      std::copy_n(from.begin() + i * part_bytes, part_bytes, to.begin() + i * padded_bytes);
    }
    return to;
  };
  wide.values = spread(w.values, ValueBytes(w.packing, part), ValueBytes(w.packing, padded));
  wide.scales = spread(w.scales, ScaleBytes(w.packing, w.group, part), ScaleBytes(w.packing, w.group, padded));
  return wide;
}

}  // namespace ltri::cuda
