// Of each quantised type: how its rows become the blocks of a panel (byte_panels.h), and what the product has to know.
//
// Included once by each file of kernels, inside its namespace and behind its registers' operations:
//
//   kGroups, kLanes                          a panel's groups, and their outputs
//   kRows                                    of x that the kernel takes at a time
//   Codes                                    a byte for each of 16 outputs' 4 x 16 columns: one output of four
//   LoadFour(group, j, at)                   16 bytes at `at` of the outputs 4 l + j of a group, l = 0 .. 3
//   Low(c), High(c)                          the low and the high 4 bits of each byte
//   TopBits(c, shift, mask)                  bits of each byte from `shift` on, moved to the fifth bit and up
//   Or(c, c), FlipTopBit(c)
//   FifthBits(bits)                          bits: for each l 16 bits of the columns; 16 where one is set
//   StoreCodes(codes[4], block, half, group) codes as loaded with j = 0 .. 3 become four columns by 16 outputs
//   StoreHalves(rows, at, to)                the 16-bit floats at `at` of all outputs
//   HalfAt(at)                               one 16-bit float

// Of a type:
//   kBytes, kBlocks  a block's length, and how many blocks of a panel it becomes
//   kBits            of a code
//   kZeroBits        the code of zero is 2 to this, or -1: it is 0
//   kHasMinimum      of a block
//   kHalves          scales that a block of a panel has

// 32 weights: a scale, perhaps a minimum, perhaps a fifth bit of each, 16 bytes of 4 bits: low halves first.
template <int kBlockBytes, int kZeroBitsOrNone, bool kFifth>
struct Nibbles {
  static constexpr int64_t kBytes = kBlockBytes;
  static constexpr int64_t kBlocks = 1;
  static constexpr int kBits = kFifth ? 5 : 4;
  static constexpr int kZeroBits = kZeroBitsOrNone;
  static constexpr bool kHasMinimum = kZeroBits < 0;
  static constexpr int kHalves = 1;

  static HWY_INLINE void Unpack(const RowsOfW& rows, PanelBlock* to) {
    for (int g = 0; g < kGroups; ++g) {
      const std::byte* const* group = rows.data() + g * kLanes;
      Codes low[4];
      Codes high[4];
      for (int j = 0; j < 4; ++j) {
        const Codes raw = LoadFour(group, j, kBytes - 16);
        low[j] = Low(raw);
        high[j] = High(raw);
        if constexpr (kFifth) AddFifth(group, j, &low[j], &high[j]);
      }
      StoreCodes(low, to, 0, g);
      StoreCodes(high, to, 1, g);
    }
    StoreHalves(rows, 0, to->scales[0][0]);
    if constexpr (kHasMinimum) StoreHalves(rows, 2, to->minima[0]);
  }

  static HWY_INLINE void AddFifth(const std::byte* const* group, int j, Codes* low, Codes* high) {
    uint64_t low_bits = 0;
    uint64_t high_bits = 0;
    for (int l = 3; l >= 0; --l) {
      uint32_t bits = 0;
      std::memcpy(&bits, group[4 * l + j] + kBytes - 20, sizeof(bits));
      low_bits = low_bits << 16U | (bits & 0xFFFFU);
      high_bits = high_bits << 16U | bits >> 16U;
    }
    *low = Or(*low, FifthBits(low_bits));
    *high = Or(*high, FifthBits(high_bits));
  }
};

using Q4_0 = Nibbles<18, 3, false>;
using Q4_1 = Nibbles<20, -1, false>;
using Q5_0 = Nibbles<22, 4, true>;
using Q5_1 = Nibbles<24, -1, true>;

struct Q8_0 {
  static constexpr int64_t kBytes = 34;
  static constexpr int64_t kBlocks = 1;
  static constexpr int kBits = 8;
  static constexpr int kZeroBits = 7;
  static constexpr bool kHasMinimum = false;
  static constexpr int kHalves = 1;

  static HWY_INLINE void Unpack(const RowsOfW& rows, PanelBlock* to) {
    for (int g = 0; g < kGroups; ++g) {
      for (int half = 0; half < 2; ++half) {
        Codes codes[4];
        for (int j = 0; j < 4; ++j) {
          codes[j] = FlipTopBit(LoadFour(rows.data() + g * kLanes, j, 2 + 16 * half));
        }
        StoreCodes(codes, to, half, g);
      }
    }
    StoreHalves(rows, 0, to->scales[0][0]);
  }
};

// 256 weights: scale and minimum of the 8 blocks' scales and minima, these in 6 bits each, perhaps a fifth bit of each
// weight, 128 bytes of 4 bits: two blocks in 32 bytes, low halves first.
template <bool kFifth>
struct SuperNibbles {
  static constexpr int64_t kBytes = kFifth ? 176 : 144;
  static constexpr int64_t kBlocks = 8;
  static constexpr int kBits = kFifth ? 5 : 4;
  static constexpr int kZeroBits = -1;
  static constexpr bool kHasMinimum = true;
  static constexpr int kHalves = 1;

  static HWY_INLINE void Unpack(const RowsOfW& rows, PanelBlock* to) {
    for (int g = 0; g < kGroups; ++g) {
      const std::byte* const* group = rows.data() + g * kLanes;
      for (int pair = 0; pair < 4; ++pair) {
        for (int half = 0; half < 2; ++half) UnpackPair(group, g, pair, half, to + 2 * pair);
      }
    }
    for (size_t r = 0; r < rows.size(); ++r) UnpackScales(rows[r], r, to);
  }

  static HWY_INLINE void UnpackPair(const std::byte* const* group, int g, int pair, int half, PanelBlock* to) {
    Codes low[4];
    Codes high[4];
    for (int j = 0; j < 4; ++j) {
      const Codes raw = LoadFour(group, j, kBytes - 128 + 32 * pair + 16 * half);
      low[j] = Low(raw);
      high[j] = High(raw);
      if constexpr (kFifth) {
        const Codes bits = LoadFour(group, j, 16 + 16 * half);
        low[j] = Or(low[j], TopBits(bits, 2 * pair, 1));
        high[j] = Or(high[j], TopBits(bits, 2 * pair + 1, 1));
      }
    }
    StoreCodes(low, to, half, g);
    StoreCodes(high, to + 1, half, g);
  }

  static void UnpackScales(const std::byte* at, size_t output, PanelBlock* to) {
    const float scale = HalfAt(at);
    const float minimum = HalfAt(at + 2);
    uint8_t packed[12];
    std::memcpy(packed, at + 4, sizeof(packed));
    for (size_t b = 0; b < 8; ++b) {
      int s = packed[b % 4] & 63;
      int m = packed[b % 4 + 4] & 63;
      if (b >= 4) {
        s = (packed[b + 4] & 15) | packed[b - 4] >> 6 << 4;
        m = packed[b + 4] >> 4 | packed[b] >> 6 << 4;
      }
      to[b].scales[0][output / kLanes][output % kLanes] = scale * static_cast<float>(s);
      to[b].minima[output / kLanes][output % kLanes] = -minimum * static_cast<float>(m);
    }
  }
};

using Q4K = SuperNibbles<false>;
using Q5K = SuperNibbles<true>;

// 256 weights: low 4 bits [2][64], high 2 bits [2][32], 16 scales of 8 bits, their scale. A scale holds for 16 weights.
struct Q6K {
  static constexpr int64_t kBytes = 210;
  static constexpr int64_t kBlocks = 8;
  static constexpr int kBits = 6;
  static constexpr int kZeroBits = 5;
  static constexpr bool kHasMinimum = false;
  static constexpr int kHalves = 2;

  static HWY_INLINE void Unpack(const RowsOfW& rows, PanelBlock* to) {
    for (int g = 0; g < kGroups; ++g) {
      for (int part = 0; part < 2; ++part) {
        for (int half = 0; half < 2; ++half) UnpackPart(rows.data() + g * kLanes, g, part, half, to + 4 * part);
      }
    }
    for (size_t r = 0; r < rows.size(); ++r) {
      const float scale = HalfAt(rows[r] + 208);
      int8_t scales[16];
      std::memcpy(scales, rows[r] + 192, sizeof(scales));
      for (size_t i = 0; i < 16; ++i) {
        to[i / 2].scales[i % 2][r / kLanes][r % kLanes] = scale * static_cast<float>(scales[i]);
      }
    }
  }

  // 16 columns each of four blocks.
  static HWY_INLINE void UnpackPart(const std::byte* const* group, int g, int part, int half, PanelBlock* to) {
    Codes codes[4][4];
    for (int j = 0; j < 4; ++j) {
      const Codes first = LoadFour(group, j, 64 * part + 16 * half);
      const Codes second = LoadFour(group, j, 64 * part + 32 + 16 * half);
      const Codes bits = LoadFour(group, j, 128 + 32 * part + 16 * half);
      codes[0][j] = Or(Low(first), TopBits(bits, 0, 3));
      codes[1][j] = Or(Low(second), TopBits(bits, 2, 3));
      codes[2][j] = Or(High(first), TopBits(bits, 4, 3));
      codes[3][j] = Or(High(second), TopBits(bits, 6, 3));
    }
    for (int quarter = 0; quarter < 4; ++quarter) StoreCodes(codes[quarter], to + quarter, half, g);
  }
};

template <typename Type>
void MakePanel(const Matrix& w, int64_t first, PanelBlock* panel) {
  RowsOfW rows;
  for (size_t r = 0; r < rows.size(); ++r) {
    rows[r] = w.data + std::min(first + static_cast<int64_t>(r), w.rows - 1) * w.row_bytes;
  }
  for (int64_t done = 0; done < w.row_bytes; done += Type::kBytes, panel += Type::kBlocks) {
    Type::Unpack(rows, panel);
    for (const std::byte*& row : rows) row += Type::kBytes;
  }
}

// y = x panel^T + bias for kCount rows of x: the kernel's own.
template <typename Type, int kCount>
void MultiplyStrip(const RoundedBlock* x, const Strip& strip, float* y, int64_t y_stride);

template <typename Type, int kCount>
void MultiplyRows(const RoundedBlock* x, int64_t rows, const Strip& strip, float* y, int64_t y_stride) {
  if constexpr (kCount > 1) {
    if (rows < kCount) return MultiplyRows<Type, kCount - 1>(x, rows, strip, y, y_stride);
  }
  MultiplyStrip<Type, kCount>(x, strip, y, y_stride);
}

template <typename Type>
void MultiplyPanel(const RoundedBlock* x, int64_t rows, const Strip& strip, float* y, int64_t y_stride) {
  for (int64_t r = 0; r < rows; r += kRows) {
    MultiplyRows<Type, kRows>(x + r * strip.blocks, rows - r, strip, y + r * y_stride, y_stride);
  }
}

template <typename Type>
constexpr ByteKernels kKernels = {MakePanel<Type>, MultiplyPanel<Type>};

// For ggml's type `type`, or null.
inline const ByteKernels* FindKernels(int type) {
  switch (type) {
    case kTypeQ4_0:
      return &kKernels<Q4_0>;
    case kTypeQ4_1:
      return &kKernels<Q4_1>;
    case kTypeQ5_0:
      return &kKernels<Q5_0>;
    case kTypeQ5_1:
      return &kKernels<Q5_1>;
    case kTypeQ8_0:
      return &kKernels<Q8_0>;
    case kTypeQ4K:
      return &kKernels<Q4K>;
    case kTypeQ5K:
      return &kKernels<Q5K>;
    case kTypeQ6K:
      return &kKernels<Q6K>;
    default:
      return nullptr;
  }
}
