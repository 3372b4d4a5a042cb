// The product behind block rows: y = x W^T with W unpacked to panels of a few outputs.
//
// Compared with a general product (OpenBLAS) nothing of x is copied, W goes from its packed form to the layout of the
// kernel in one step, and an output is the same sum whatever the number of rows, so blocks of any size agree.
//
// Thread safety: functions without state.
#ifndef LTRI_OPS_CPU_PANELS_H_
#define LTRI_OPS_CPU_PANELS_H_

#include <cstddef>
#include <cstdint>

namespace ltri {

// Outputs in a panel on this CPU: a panel is [cols, PanelWidth()] floats.
int64_t PanelWidth();

// panel[c][r] = rows[r][c] for r < 4. rows: [4, cols]; panel: its first of four outputs, rows PanelWidth() apart.
void PackFourRows(const float* rows, int64_t cols, float* panel);

// y (+)= x panel^T. x: [rows, cols], rows `x_stride` apart; y: [rows, outputs], rows `y_stride` apart;
// outputs <= PanelWidth(); `add` keeps what y held.
void MultiplyPanel(const float* x, int64_t x_stride, int64_t rows, int64_t cols, const float* panel, bool add, float* y,
                   int64_t y_stride, int64_t outputs);

// Rows of x that are best taken together: as many as the registers hold.
int64_t PanelRows();

// to[0, count) = the numbers at `from`, in ggml's type `type`; count: whole blocks. May differ from ggml's own
// conversion in the last bit where a block has a minimum.
void UnpackValues(int type, const std::byte* from, int64_t count, float* to);

}  // namespace ltri

#endif  // LTRI_OPS_CPU_PANELS_H_
