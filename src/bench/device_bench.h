// A bench of steps on a CUDA card with weights drawn at random: no file is needed, and speed does not depend on what
// the numbers are.
#ifndef LTRI_BENCH_DEVICE_BENCH_H_
#define LTRI_BENCH_DEVICE_BENCH_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ltri/options.h"
#include "ltri/result.h"

namespace ltri {

struct DeviceBenchSettings {
  std::string shape = "llama3-8b";
  std::string weights = "bf16";      // bf16 | f16 | q8 | q4
  std::vector<std::string> methods;  // each for prefill and decode
  std::vector<int64_t> prefill;      // lengths of prompts
  std::vector<int64_t> decode;       // depths
  int64_t batch = 1;                 // sequences that are decoded together
  int64_t memory = 0;                // bytes of the card for keys and values; 0: what is free but a reserve
  int64_t decode_tokens = 64;        // in a run
  int64_t copying_heads = -1;        // of ltri, drawn at random: these vote; -1: as many as models have, 0: all vote
  int runs = 3;                      // the median counts
  SessionOptions session;
};

// One figure. A limit is what the card can do at most, measured in the same run.
struct DeviceBenchRow {
  std::string what;     // "decode", "prefill", "copy", ...
  std::string method;   // may be empty
  int64_t tokens = 0;   // length or depth; 0: none
  double seconds = 0;   // of a step for decode, of the whole for the rest
  double rate = 0;      // in units
  std::string unit;     // "GB/s", "TFLOP/s", "tokens/s"
  double of_limit = 0;  // 0..1; 0: no limit applies
};

// Names of shapes for messages and help.
std::vector<std::string> DeviceShapeNames();

// Calls `row` for each figure as soon as it is known. Errors: kInvalidArgument (shape, weights, a method's options),
// kUnsupported (no CUDA, no card), kOutOfMemory.
Status RunDeviceBench(const DeviceBenchSettings& settings, const std::function<void(const DeviceBenchRow&)>& row);

}  // namespace ltri

#endif  // LTRI_BENCH_DEVICE_BENCH_H_
