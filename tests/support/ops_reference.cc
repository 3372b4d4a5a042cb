#include "support/ops_reference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace ltri::testing {

std::vector<float> Operands::Floats(int64_t count, float spread) {
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = Float(spread);
  return values;
}

std::vector<Half> Operands::Halves(int64_t count, float spread) {
  std::vector<Half> values(static_cast<size_t>(count));
  for (Half& value : values) value = HalfFromFloat(Float(spread));
  return values;
}

std::vector<double> MatmulReference(const std::vector<float>& x, const std::vector<float>& w, int64_t cols,
                                    const std::vector<float>& bias) {
  const auto n = static_cast<size_t>(cols);
  const size_t outputs = w.size() / n;
  std::vector<double> y;
  for (size_t r = 0; r < x.size() / n; ++r) {
    for (size_t j = 0; j < outputs; ++j) {
      double sum = bias.empty() ? 0.0 : bias[j];
      for (size_t i = 0; i < n; ++i) sum += static_cast<double>(x[r * n + i]) * w[j * n + i];
      y.push_back(sum);
    }
  }
  return y;
}

std::vector<double> RmsNormReference(const std::vector<float>& x, const std::vector<float>& weight, double epsilon) {
  std::vector<double> y;
  for (size_t r = 0; r < x.size(); r += weight.size()) {
    double squares = 0;
    for (size_t i = 0; i < weight.size(); ++i) squares += static_cast<double>(x[r + i]) * x[r + i];
    const double root = std::sqrt(squares / static_cast<double>(weight.size()) + epsilon);
    for (size_t i = 0; i < weight.size(); ++i) y.push_back(x[r + i] / root * weight[i]);
  }
  return y;
}

double GatedReference(Activation activation, double gate, double up) {
  if (activation == Activation::kSilu) return gate / (1 + std::exp(-gate)) * up;
  const double inner = std::sqrt(2 / std::numbers::pi) * (gate + 0.044715 * gate * gate * gate);
  return 0.5 * gate * (1 + std::tanh(inner)) * up;
}

namespace {

// Frequency of a pair; YaRN as in arXiv 2309.00071: slow waves are interpolated, fast ones are left alone.
double Frequency(const RopeConfig& rope, bool use_long, int64_t pair) {
  const std::vector<float>& factors = use_long ? rope.long_factors : rope.factors;
  double plain =
      1 / std::pow(static_cast<double>(rope.base), 2.0 * static_cast<double>(pair) / static_cast<double>(rope.dims));
  if (!factors.empty()) plain /= factors[static_cast<size_t>(pair)];
  const double scaled = plain * rope.scale;
  if (rope.yarn_ext_factor == 0.0F) return scaled;
  const auto dimension = [&](double turns) {
    const double wavelength = static_cast<double>(rope.original_context) / turns;
    return static_cast<double>(rope.dims) * std::log(wavelength / (2 * std::numbers::pi)) /
           (2 * std::log(static_cast<double>(rope.base)));
  };
  const double low = std::max(0.0, std::floor(dimension(rope.yarn_beta_fast)));
  const double high = std::min(static_cast<double>(rope.dims - 1), std::ceil(dimension(rope.yarn_beta_slow)));
  const double at = static_cast<double>(pair);
  double kept = 0;  // share of the unscaled frequency
  if (at <= low) {
    kept = 1;
  } else if (at < high) {
    kept = 1 - (at - low) / (high - low);
  }
  kept *= rope.yarn_ext_factor;
  return plain * kept + scaled * (1 - kept);
}

double Magnitude(const RopeConfig& rope) {
  if (rope.yarn_ext_factor == 0.0F) return rope.magnitude;
  return rope.magnitude * (1 + 0.1 * std::log(1 / static_cast<double>(rope.scale)));
}

// One key of a run list: its store and where it stands.
struct PlacedKey {
  const Half* key;
  const Half* value;
  int64_t position;
};

std::vector<PlacedKey> Place(const std::vector<KeyRun>& runs, int64_t head_dim) {
  std::vector<PlacedKey> keys;
  for (const KeyRun& run : runs) {
    for (int64_t i = 0; i < run.count; ++i) {
      keys.push_back({run.keys + i * head_dim, run.values + i * head_dim, run.position + i});
    }
  }
  return keys;
}

std::vector<double> Widen(const Half* from, int64_t count) {
  std::vector<double> wide;
  for (int64_t i = 0; i < count; ++i) wide.push_back(FloatFromHalf(from[i]));
  return wide;
}

double Dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// The keys of a group, turned once; the local ones follow the far ones.
struct GroupKeys {
  std::vector<std::vector<double>> turned, values;
  size_t far = 0;
};

GroupKeys TurnKeys(const AttendArgs& args, const RopeConfig& rope, const HeadGroup& group) {
  GroupKeys keys;
  const std::vector<PlacedKey> far = Place(group.far, args.head_dim);
  keys.far = far.size();
  for (const bool is_far : {true, false}) {
    for (const PlacedKey& key : is_far ? far : Place(group.local, args.head_dim)) {
      std::vector<double> row = Widen(key.key, args.head_dim);
      if (!is_far || args.far_distance < 0) row = RotateReference(rope, false, row, key.position);
      keys.turned.push_back(std::move(row));
      keys.values.push_back(Widen(key.value, args.head_dim));
    }
  }
  return keys;
}

}  // namespace

std::vector<double> RotateReference(const RopeConfig& rope, bool use_long, const std::vector<double>& from,
                                    int64_t position) {
  std::vector<double> to(from.begin(), from.end());
  const auto half = static_cast<size_t>(rope.dims / 2);
  for (size_t i = 0; i < half; ++i) {
    const double angle = static_cast<double>(position) * Frequency(rope, use_long, static_cast<int64_t>(i));
    const double c = std::cos(angle) * Magnitude(rope);
    const double s = std::sin(angle) * Magnitude(rope);
    to[i] = from[i] * c - from[half + i] * s;
    to[half + i] = from[i] * s + from[half + i] * c;
  }
  return to;
}

namespace {

// Scores of query i of one head over all keys of its group; -inf where it sees none.
std::vector<double> ScoresOf(const AttendArgs& args, const RopeConfig& rope, const GroupKeys& keys, int64_t head,
                             int64_t i) {
  const float* row = args.q + (i * args.heads + head) * args.head_dim;
  const std::vector<double> q(row, row + args.head_dim);
  const std::vector<double> near = RotateReference(rope, false, q, args.query_position + i);
  const std::vector<double> clamped =
      args.far_distance >= 0 ? RotateReference(rope, false, q, args.far_distance) : near;
  const auto far = static_cast<int64_t>(keys.far);
  const auto all = static_cast<int64_t>(keys.turned.size());
  std::vector<double> scores(keys.turned.size(), -std::numeric_limits<double>::infinity());
  for (int64_t k = 0; k < all; ++k) {
    const int64_t distance = (all - args.queries + i) - k;
    const bool seen = k < far || (distance >= 0 && (args.sliding_window == 0 || distance < args.sliding_window));
    const auto at = static_cast<size_t>(k);
    if (seen) scores[at] = args.scale * Dot(k < far ? clamped : near, keys.turned[at]);
  }
  return scores;
}

double LogSumExp(const std::vector<double>& scores) {
  const double top = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (const double s : scores) sum += std::exp(s - top);
  return top + std::log(sum);
}

}  // namespace

AttentionReference AttendReference(const AttendArgs& args, const RopeConfig& rope) {
  const auto d = static_cast<size_t>(args.head_dim);
  AttentionReference result;
  result.out.assign(static_cast<size_t>(args.queries * args.heads) * d, 0.0);
  result.lse.assign(static_cast<size_t>(args.queries * args.heads), 0.0);
  for (const HeadGroup& group : args.groups) {
    const GroupKeys keys = TurnKeys(args, rope, group);
    const size_t local = keys.turned.size() - keys.far;
    result.local_keys = static_cast<int64_t>(local);
    result.local.resize(static_cast<size_t>(args.heads * args.queries) * local);
    for (int64_t row = 0; row < group.heads * args.queries; ++row) {
      const int64_t h = group.first_head + row / args.queries;
      const int64_t i = row % args.queries;
      const auto state = static_cast<size_t>(h * args.queries + i);
      const std::vector<double> scores = ScoresOf(args, rope, keys, h, i);
      result.lse[state] = LogSumExp(scores);
      double* out = result.out.data() + static_cast<size_t>(i * args.heads + h) * d;
      for (size_t k = 0; k < scores.size(); ++k) {
        const double p = std::exp(scores[k] - result.lse[state]);
        for (size_t j = 0; j < d; ++j) out[j] += p * keys.values[k][j];
        if (k >= keys.far) result.local[state * local + k - keys.far] = p;
      }
    }
  }
  return result;
}

std::vector<double> AttentionReference::Band(const AttendArgs& args, int64_t width) const {
  std::vector<double> band(static_cast<size_t>(args.queries * width), 0.0);
  for (int64_t h = 0; h < args.heads; ++h) {
    for (int64_t i = 0; i < args.queries; ++i) {
      for (int64_t lag = 1; lag <= width; ++lag) {
        const int64_t key = local_keys - args.queries + i - lag;
        if (key < 0) continue;
        band[static_cast<size_t>(i * width + lag - 1)] +=
            local[static_cast<size_t>((h * args.queries + i) * local_keys + key)];
      }
    }
  }
  return band;
}

std::vector<double> AttentionReference::Received(const AttendArgs& args) const {
  std::vector<double> received(static_cast<size_t>(args.heads * local_keys), 0.0);
  for (int64_t h = 0; h < args.heads; ++h) {
    for (int64_t i = 0; i < args.queries; ++i) {
      for (int64_t key = 0; key < local_keys; ++key) {
        received[static_cast<size_t>(h * local_keys + key)] +=
            local[static_cast<size_t>((h * args.queries + i) * local_keys + key)];
      }
    }
  }
  return received;
}

std::vector<double> IndexScanReference(const IndexView& view, const std::vector<float>& queries, int64_t head_dim,
                                       double scale) {
  std::vector<double> dots;
  for (size_t r = 0; r < queries.size(); r += static_cast<size_t>(head_dim)) {
    for (int64_t v = 0; v < view.count; ++v) {
      double dot = 0;
      for (int64_t i = 0; i < head_dim; ++i) {
        dot += static_cast<double>(queries[r + static_cast<size_t>(i)]) * view.vectors[v * head_dim + i];
      }
      dots.push_back(dot * view.scales[v] * scale);
    }
  }
  return dots;
}

std::vector<double> SoftmaxReference(const std::vector<float>& x, double* entropy) {
  const double top = *std::max_element(x.begin(), x.end());
  double sum = 0;
  for (const float value : x) sum += std::exp(value - top);
  *entropy = 0;
  std::vector<double> softmax;
  for (const float value : x) {
    softmax.push_back(std::exp(value - top) / sum);
    if (softmax.back() > 0) *entropy -= softmax.back() * std::log(softmax.back());
  }
  return softmax;
}

}  // namespace ltri::testing
