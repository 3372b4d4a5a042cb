// Every operation on small fixed inputs, for callgrind to count the instructions of; scripts/check_instructions.py
// compares them with bench/instructions_baseline.json. One thread. Prints what else the counts depend on.
//
// Left out: decoded rows of linear layers. Their kernels need AVX-512, which valgrind does not know, or are ggml's,
// which are compiled for the machine at hand.
#include <dlfcn.h>
#include <ggml.h>
#include <valgrind/callgrind.h>

#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "attention/choose.h"
#include "attention/voting.h"
#include "attention_step.h"
#include "base/thread_pool.h"
#include "hwy/highway.h"
#include "ops/activation.h"
#include "ops/convert.h"
#include "ops/gemm.h"
#include "ops/index_scan.h"
#include "ops/local_probability.h"
#include "ops/matmul.h"
#include "ops/rms_norm.h"
#include "ops/vote.h"
#include "recall_case.h"
#include "spans/span_cutter.h"
#include "weights/ggml_types.h"

namespace ltri {
namespace {

// Counts one run, after one that fills what is kept from call to call.
template <typename Run>
void Count(const char* name, const Run& run) {
  run();
  CALLGRIND_START_INSTRUMENTATION;
  CALLGRIND_ZERO_STATS;
  run();
  CALLGRIND_DUMP_STATS_AT(name);
  CALLGRIND_STOP_INSTRUMENTATION;
}

void CountMatmul(ThreadPool& pool, const char* name, ggml_type type) {
  constexpr int64_t kRows = 32;
  constexpr int64_t kCols = 576;
  constexpr int64_t kOutputs = 192;
  testing::Operands any(1);
  const std::vector<float> exact = any.Floats(kOutputs * kCols);
  const int64_t row_bytes = TypeRowBytes(type, kCols);
  std::vector<std::byte> bytes(static_cast<size_t>(kOutputs * row_bytes));
  ggml_quantize_chunk(type, exact.data(), bytes.data(), 0, kOutputs, kCols, nullptr);
  const Matrix w = {bytes.data(), kOutputs, kCols, type, row_bytes};
  const std::vector<float> x = any.Floats(kRows * kCols);
  std::vector<float> y(static_cast<size_t>(kRows * kOutputs));
  Count(name, [&] { Matmul(pool, w, x.data(), {kRows, 0}, nullptr, y.data()); });
}

void CountAttention(ThreadPool& pool) {
  AttentionStep single(1, 64, 256);
  Count("attend_single", [&] { Attend(pool, single.args, single.out.data(), single.lse.data()); });
  AttentionStep block(64, 16, 256);
  Count("attend_block", [&] { Attend(pool, block.args, block.out.data(), block.lse.data()); });
  constexpr int64_t kWidth = 128;
  std::vector<float> band(static_cast<size_t>(block.args.queries * kWidth));
  Count("span_band", [&] { SpanBand(pool, block.args, block.lse.data(), kWidth, band.data()); });
  std::vector<float> received(static_cast<size_t>(kHeads * block.local_keys()));
  Count("received_attention", [&] { ReceivedAttention(pool, block.args, block.lse.data(), received.data()); });
}

void CountRecall(ThreadPool& pool) {
  constexpr int64_t kSpans = 2500;
  const SpanIndex index = MakeSpanIndex(kSpans, kKvHeads, kHeadDim);
  testing::Operands any(2);
  const VotingRows queries = {4, any.Floats(kHeads * 4 * kHeadDim)};
  const testing::IndexContents contents = testing::ContentsOf(index, 0);
  const IndexView view = contents.View();
  std::vector<float> dots(static_cast<size_t>(kHeads * view.count));
  const auto scan = [&](int64_t rows) {
    IndexScan(view, queries.queries.data(), rows, kHeadDim, 0.125F, dots.data(), view.count);
  };
  Count("index_scan_one", [&] { scan(1); });
  Count("index_scan_nine", [&] { scan(kHeads); });
  Count("cast_votes", [&] { CastVotes(pool, index, queries, kHeads, {.scale = 0.125F}, 1); });
  Count("vote_softmax", [&] { SoftmaxWithEntropy(dots.data(), view.count); });
  const Ballot all = MakeBallot(kSpans, 0.5F);
  Ballot kept;
  Count("keep_highest", [&] {
    kept = all;
    KeepHighest(kept, 128);
  });
  const std::vector<Span> spans = MakeSpans(kSpans);
  Ballot weights;
  Count("choose_spans", [&] { ChooseSpans(spans, kept, 2048, {}, &weights); });
}

void CountCutter() {
  constexpr int64_t kRows = 512;
  const SpanCutterOptions options;
  const std::vector<float> band = testing::Operands(3).Floats(kRows * options.max_span);
  const auto cutter = MakeSpanCutter(options);
  Count("cut_spans", [&] {
    const std::span<const float> rows = band;
    const auto width = static_cast<size_t>(options.max_span);
    for (size_t at = 0; at < rows.size(); at += width) (*cutter)->Push(rows.subspan(at, width));
    (*cutter)->TakeCommitted();
  });
}

void CountPointwise() {
  constexpr int64_t kRows = 16;
  constexpr int64_t kWidth = 1536;
  testing::Operands any(4);
  const std::vector<float> x = any.Floats(kRows * kWidth);
  const std::vector<float> weight = any.Floats(kWidth);
  std::vector<float> y(x.size());
  Count("rms_norm", [&] { RmsNorm(x.data(), weight.data(), kRows, kWidth, 1e-5F, y.data()); });
  Count("silu", [&] { GatedActivation(Activation::kSilu, y.data(), x.data(), kRows * kWidth); });
  Count("gelu", [&] { GatedActivation(Activation::kGelu, y.data(), x.data(), kRows * kWidth); });
  std::vector<Half> halves(x.size());
  Count("float_to_half", [&] { FloatToHalf(x.data(), kRows * kWidth, halves.data()); });
  Count("half_to_float", [&] { HalfToFloat(halves.data(), kRows * kWidth, y.data()); });
  RopeConfig rope;
  rope.dims = kHeadDim;
  RopeTable table(rope, false);
  constexpr int64_t kKeys = kRows * kWidth / kHeadDim;
  table.Reserve(kKeys);
  Count("rotate_keys", [&] { RotateKeys(table, halves.data(), kKeys, kHeadDim, 0, y.data()); });
}

std::string BlasName() {
  const std::string name = GemmName();
  void* library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_NOLOAD);
  if (library == nullptr) return name;
  const auto config = reinterpret_cast<char* (*)()>(dlsym(library, "openblas_get_config"));
  return config == nullptr ? name : config();
}

void CountAll() {
  ThreadPool pool(1);
  CountMatmul(pool, "matmul_block_q4_1", GGML_TYPE_Q4_1);
  CountMatmul(pool, "matmul_block_q8_0", GGML_TYPE_Q8_0);
  CountAttention(pool);
  CountRecall(pool);
  CountCutter();
  CountPointwise();
  std::printf("compiler: %s\n", LTRI_COMPILER);
  std::printf("vectors: Highway %d.%d.%d %s\n", HWY_MAJOR, HWY_MINOR, HWY_PATCH,
              hwy::TargetName(hwy::SupportedTargets() & -hwy::SupportedTargets()));
  std::printf("blas: %s\n", BlasName().c_str());
}

}  // namespace
}  // namespace ltri

int main() { ltri::CountAll(); }
