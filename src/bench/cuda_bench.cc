#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <new>

#include "attention/registry.h"
#include "base/stopwatch.h"
#include "base/thread_pool.h"
#include "bench/device_bench.h"
#include "bench/drawn_heads.h"
#include "cuda/device_context.h"
#include "cuda/device_decoder.h"
#include "cuda/device_spans.h"
#include "cuda/device_voters.h"
#include "cuda/device_weights.h"
#include "ops/cuda/gemm.h"
#include "ops/cuda/pointwise.h"

namespace ltri {
namespace {

using cuda::Buffer;

ModelConfig Llama(int64_t layers, int64_t width, int64_t heads, int64_t kv_heads, int64_t feed_forward,
                  int64_t vocabulary) {
  ModelConfig config;
  config.architecture = "llama";
  config.layers = layers;
  config.width = width;
  config.heads = heads;
  config.kv_heads = kv_heads;
  config.head_dim = 128;
  config.feed_forward = feed_forward;
  config.vocabulary = vocabulary;
  config.trained_context = 8192;
  config.attention_scale = 1.0F / std::sqrt(128.0F);
  config.rope.dims = 128;
  config.rope.pairs = RopePairs::kHalves;
  config.rope.base = 500000.0F;
  return config;
}

struct Shape {
  const char* name;
  ModelConfig config;
};

const std::vector<Shape>& Shapes() {
  static const std::vector<Shape> shapes = {
      {"llama3-8b", Llama(32, 4096, 32, 8, 14336, 128256)},
      {"llama3-8b-4-layers", Llama(4, 4096, 32, 8, 14336, 128256)},  // for a quick look
  };
  return shapes;
}

struct WeightKind {
  const char* name;
  cuda::Packing packing;
};
constexpr WeightKind kWeightKinds[] = {{"bf16", cuda::Packing::kBfloat},
                                       {"f16", cuda::Packing::kHalf},
                                       {"q8", cuda::Packing::kInt8},
                                       {"q4", cuda::Packing::kInt4}};

template <typename T>
T Median(std::vector<T> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

class CudaBench {
 public:
  CudaBench(const DeviceBenchSettings& settings, const ModelConfig& config, cuda::Packing packing,
            const std::function<void(const DeviceBenchRow&)>& row)
      : s_(settings),
        config_(config),
        context_(config_, settings.memory),
        weights_(context_.stream, config_, packing),
        decoder_(&context_, &weights_),
        pool_(static_cast<int>(std::max(1U, std::thread::hardware_concurrency()))),
        row_(row) {
    if (settings.copying_heads == 0) return;
    const int64_t count =
        settings.copying_heads > 0 ? settings.copying_heads : UsualCopyingHeads(config.layers, config.heads);
    head_table_ = DrawHeadTable(config.layers, config.heads, count);
  }

  Status Run() {
    MeasureLimits();
    for (const std::string& name : s_.methods) {
      for (const int64_t tokens : s_.prefill) {
        if (Status status = MeasurePrefill(name, tokens); !status.ok()) return status;
      }
      for (const int64_t depth : s_.decode) {
        if (Status status = MeasureDecode(name, depth); !status.ok()) return status;
      }
    }
    return cuda::Finish(context_.stream);
  }

 private:
  // Seconds of `work` on the card: the median of some runs after one that is not counted.
  template <typename Work>
  double Time(int runs, Work&& work) {
    cuda::Timer timer;
    std::vector<double> seconds;
    for (int i = 0; i <= runs; ++i) {
      timer.Start(context_.stream);
      work();
      timer.Stop(context_.stream);
      if (const double elapsed = timer.Seconds(); i > 0) seconds.push_back(elapsed);
    }
    return Median(seconds);
  }

  void MeasureLimits() {
    constexpr int64_t kBytes = int64_t{4} << 30;
    constexpr int64_t kSide = 8192;
    {
      const Buffer from(kBytes);
      const Buffer to(kBytes);
      const double seconds =
          Time(10, [&] { cuda::CopyOnDevice(context_.stream, to.as<void>(), from.as<void>(), kBytes); });
      copy_rate_ = 2.0 * static_cast<double>(kBytes) / seconds;
      row_({"copy", "", 0, seconds, copy_rate_ / 1e9, "GB/s", 0});
    }
    const Buffer x(kSide * kSide * 2);
    const Buffer w(kSide * kSide * 2);
    const Buffer y(kSide * kSide * 2);
    cuda::FillRandom(context_.stream, 1, 1.0F, kSide * kSide, cuda::Float16::kBfloat, x.as<void>());
    cuda::FillRandom(context_.stream, 2, 1.0F, kSide * kSide, cuda::Float16::kBfloat, w.as<void>());
    const cuda::DeviceMatrix matrix{cuda::Packing::kBfloat, kSide, kSide, 32, w.as<void>(), nullptr};
    cuda::Gemm gemm;
    const double seconds = Time(10, [&] {
      gemm.Multiply(context_.stream, matrix, cuda::Float16::kBfloat, x.as<void>(), kSide, cuda::GemmResult::kFloat16,
                    y.as<void>(), kSide, 0);
    });
    gemm_rate_ = 2.0 * static_cast<double>(kSide * kSide * kSide) / seconds;
    row_({"product 8192^3", "", 0, seconds, gemm_rate_ / 1e12, "TFLOP/s", 0});
  }

  Result<std::unique_ptr<Method>> Make(const std::string& name) {
    return cuda::MakeDeviceMethod(&context_, Options(name));
  }

  SessionOptions Options(const std::string& method) const {
    SessionOptions options = s_.session;
    options.method = method;
    return Complete(options, method == "ltri" ? head_table_ : std::vector<float>());
  }

  // What is left on the card for the index of a text of so many tokens.
  int64_t IndexBytes(const std::string& method, int64_t tokens) const {
    if (method != "ltri") return cuda::BlockPool::Apart();
    const cuda::DeviceVoters voters(context_.stream, config_, Options(method));
    return cuda::DeviceSpans::MostBytes(context_.shape, voters.indexed(), tokens, s_.session.min_span);
  }

  Status MeasurePrefill(const std::string& name, int64_t tokens) {
    std::vector<double> seconds;
    const int runs = tokens > 65536 ? 1 : s_.runs;
    for (int run = 0; run < runs; ++run) {
      Result<std::unique_ptr<Method>> made = Make(name);
      if (!made.ok()) return made.error();
      auto& method = static_cast<cuda::DeviceMethod&>(**made);
      std::vector<TokenId> text(static_cast<size_t>(s_.session.block), 1);
      if (name != "streaming") context_.pool.Reserve(tokens / cuda::kBlockTokens + 1, IndexBytes(name, tokens));
      if (Status status = cuda::Finish(context_.stream); !status.ok()) return status;
      const Stopwatch clock;
      for (int64_t begin = 0; begin < tokens; begin += s_.session.block) {
        const int64_t count = std::min(s_.session.block, tokens - begin);
        Slice slice;
        slice.memory = &method;
        slice.range = {begin, count, StepKind::kPrompt};
        slice.tokens = {text.data(), static_cast<size_t>(count)};
        if (Status status = decoder_.Step(pool_, {&slice, 1}); !status.ok()) return status;
      }
      if (Status status = cuda::Finish(context_.stream); !status.ok()) return status;
      seconds.push_back(clock.Seconds());
      if (run > 0 || name != "dense") continue;
      if (Status status = MeasureAttention(method, tokens); !status.ok()) return status;
    }
    const double median = Median(seconds);
    row_({"prefill", name, tokens, median, static_cast<double>(tokens) / median, "tokens/s", 0});
    return {};
  }

  // The attention of the last block of a prompt alone, by its own sums: four for each query, key, head and dimension.
  Status MeasureAttention(cuda::DeviceMethod& method, int64_t tokens) {
    const int64_t rows = std::min(s_.session.block, tokens);
    const int64_t width = (config_.heads + 2 * config_.kv_heads) * config_.head_dim;
    const Buffer projections(rows * width * 4);
    const Buffer out(rows * config_.heads * config_.head_dim * 2);
    // Bits of random halves as floats are of all sizes; these are small enough.
    std::vector<float> host(static_cast<size_t>(rows * width));
    for (size_t i = 0; i < host.size(); ++i) host[i] = static_cast<float>(i * 2654435761U % 1024) / 512.0F - 1.0F;
    cuda::Upload(context_.stream, projections.as<void>(), host.data(), projections.bytes());
    if (Status status = method.BeginStep(pool_, {tokens - rows, rows, StepKind::kReread}); !status.ok()) return status;
    const cuda::Projections p{projections.as<float>(), rows};
    const double whole = Time(5, [&] { method.BlockAttention(0, p, weights_.type(), out.as<void>()); });
    const double seconds = Time(5, [&] { method.AttendGathered(0, rows, weights_.type(), out.as<void>()); });
    const double keys = static_cast<double>(tokens) - static_cast<double>(rows - 1) / 2;
    const double flops = 4.0 * static_cast<double>(rows * config_.heads * config_.head_dim) * keys;
    row_({"attention kernel", "dense", tokens, seconds, flops / seconds / 1e12, "TFLOP/s",
          flops / seconds / gemm_rate_});
    row_({"attention with gathering", "dense", tokens, whole, flops / whole / 1e12, "TFLOP/s",
          flops / whole / gemm_rate_});
    return {};
  }

  Status MeasureDecode(const std::string& name, int64_t depth) {
    std::vector<std::unique_ptr<Method>> made;
    std::vector<cuda::DeviceMethod*> methods;
    for (int64_t i = 0; i < s_.batch; ++i) {
      Result<std::unique_ptr<Method>> one = Make(name);
      if (!one.ok()) return one.error();
      made.push_back(std::move(*one));
      methods.push_back(static_cast<cuda::DeviceMethod*>(made.back().get()));
      context_.pool.Reserve(name == "streaming" ? 0 : depth / cuda::kBlockTokens + 1, IndexBytes(name, depth));
      if (Status status = methods.back()->Stretch(pool_, depth); !status.ok()) return status;
    }
    if (Status status = decoder_.DecodeGreedily(pool_, methods, 1, 24); !status.ok()) return status;
    std::vector<double> seconds;
    for (int run = 0; run < s_.runs; ++run) {
      cuda::Timer timer;
      timer.Start(context_.stream);
      if (Status status = decoder_.DecodeGreedily(pool_, methods, 1, s_.decode_tokens); !status.ok()) return status;
      timer.Stop(context_.stream);
      seconds.push_back(timer.Seconds() / static_cast<double>(s_.decode_tokens));
    }
    if (Status status = cuda::Finish(context_.stream); !status.ok()) return status;
    ReportDecode(name, depth, *methods[0], Median(seconds));
    return {};
  }

  void ReportDecode(const std::string& name, int64_t depth, const Method& method, double seconds) {
    if (s_.batch > 1) {
      row_({fmt::format("decode, batch of {}", s_.batch), name, depth, seconds, static_cast<double>(s_.batch) / seconds,
            "tokens/s", 0});
      return;
    }
    int64_t seen = 0;
    for (const TokenRange& range : method.Visible(0, 0)) seen += range.count();
    const int64_t kv = seen * config_.layers * config_.kv_heads * config_.head_dim * 4;
    const double rate = static_cast<double>(weights_.bytes_per_token() + kv) / seconds;
    row_({"decode", name, depth, seconds, rate / 1e9, "GB/s", rate / copy_rate_});
  }

  const DeviceBenchSettings& s_;
  ModelConfig config_;
  cuda::DeviceContext context_;
  cuda::DeviceWeights weights_;
  cuda::DeviceDecoder decoder_;
  ThreadPool pool_;
  const std::function<void(const DeviceBenchRow&)>& row_;
  std::vector<float> head_table_;  // of ltri; empty: all heads vote
  double copy_rate_ = 0;
  double gemm_rate_ = 0;
};

}  // namespace

std::vector<std::string> DeviceShapeNames() {
  std::vector<std::string> names;
  for (const Shape& shape : Shapes()) names.emplace_back(shape.name);
  return names;
}

Status RunDeviceBench(const DeviceBenchSettings& settings, const std::function<void(const DeviceBenchRow&)>& row) {
  const auto shape =
      std::find_if(Shapes().begin(), Shapes().end(), [&](const Shape& known) { return settings.shape == known.name; });
  if (shape == Shapes().end()) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("shape '{}' is not known; there are {}", settings.shape,
                                                          fmt::join(DeviceShapeNames(), ", "))};
  }
  const auto* const kind = std::find_if(std::begin(kWeightKinds), std::end(kWeightKinds),
                                        [&](const WeightKind& known) { return settings.weights == known.name; });
  if (kind == std::end(kWeightKinds)) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("weights are '{}', but must be bf16, f16, q8 or q4", settings.weights)};
  }
  if (const Result<cuda::DeviceInfo> card = cuda::OpenDevice(); !card.ok()) return card.error();
  try {
    return CudaBench(settings, shape->config, kind->packing, row).Run();
  } catch (const std::bad_alloc&) {
    return Error{
        ErrorCode::kOutOfMemory,
        "the CUDA device, or RAM for what it does not hold, is too small for this bench; give fewer tokens, or a "
        "smaller --device-memory"};
  }
}

}  // namespace ltri
