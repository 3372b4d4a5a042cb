// ltri bench --device cuda: weights drawn at random on a card.
#ifndef LTRI_CLI_BENCH_DEVICE_H_
#define LTRI_CLI_BENCH_DEVICE_H_

#include "bench/device_bench.h"
#include "ltri/result.h"

namespace CLI {
class App;
}

namespace ltri {

// --shape, --weights and --batch. `settings` must live as long as `app`.
void AddDeviceMeasures(CLI::App& app, DeviceBenchSettings& settings);

// Prints each figure as soon as it is known: a line of a table, or a line of JSON.
Status BenchDevice(const DeviceBenchSettings& settings, bool json);

}  // namespace ltri

#endif  // LTRI_CLI_BENCH_DEVICE_H_
