// The product behind block rows with weights and x as bytes: y = x W^T in whole numbers, scaled block by block.
//
// Only for CPUs with AVX-512 VNNI and the types below, where it does three times the work of a product of floats; else
// see ops/cpu/panels.h. x is rounded to 8 bits in blocks of 32, as for single rows and as ggml does for its prompts. An
// output is the same sum whatever the number of rows, so blocks of any size agree.
//
// Thread safety: functions without state.
#ifndef LTRI_OPS_CPU_BYTE_PANELS_H_
#define LTRI_OPS_CPU_BYTE_PANELS_H_

#include <cstddef>
#include <cstdint>

#include "weights/model_weights.h"

namespace ltri {

// Whether this CPU has the kernel for weights of ggml's type `type`.
bool HasBytePanels(int type);

// Outputs in a panel: as many as in one of floats (PanelWidth) on such a CPU.
inline constexpr int64_t kBytePanelWidth = 32;

// 32 columns of a row of x.
struct alignas(64) RoundedBlock {
  int8_t values[32];
  float scale;             // value = scale * 8-bit value
  float sum;               // of the 32 values
  int32_t negative_of[3];  // -(sum of the 8-bit values): of each half, of all
};

// to[0, cols / 32) = x rounded. x: [cols], a multiple of 32.
void RoundRow(const float* x, int64_t cols, RoundedBlock* to);

// 32 columns of the outputs of a panel.
struct alignas(64) PanelBlock {
  uint8_t codes[8][2][64];  // [four columns][half of the outputs][16 outputs, 4 columns]
  float scales[2][2][16];   // [half of the columns][half of the outputs]; one half of the columns only, but for Q6_K
  float minima[2][16];      // weight = scale * (code - the type's zero) + minimum
};

// panel[0, w.cols / 32) = outputs [first, first + kBytePanelWidth) of W. Where W ends before, its last one again.
// HasBytePanels(w.type) holds.
void MakeBytePanel(const Matrix& w, int64_t first, PanelBlock* panel);

// y = x panel^T. x: [rows, cols / 32]; y: [rows, outputs], rows `y_stride` apart; outputs <= kBytePanelWidth; type: of
// the weights; bias: [outputs] or null.
void MultiplyBytePanel(int type, const RoundedBlock* x, int64_t rows, int64_t cols, const PanelBlock* panel,
                       const float* bias, float* y, int64_t y_stride, int64_t outputs);

}  // namespace ltri

#endif  // LTRI_OPS_CPU_BYTE_PANELS_H_
