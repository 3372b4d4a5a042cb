#include "cli/bench_device.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "cli/command.h"
#include "cli/option_types.h"

namespace ltri {
namespace {

std::string JsonLine(const DeviceBenchSettings& settings, const DeviceBenchRow& row) {
  const nlohmann::ordered_json json{{"shape", settings.shape},  {"weights", settings.weights},
                                    {"what", row.what},         {"method", row.method},
                                    {"tokens", row.tokens},     {"seconds", row.seconds},
                                    {"rate", row.rate},         {"unit", row.unit},
                                    {"of_limit", row.of_limit}, {"copying_heads", settings.copying_heads}};
  return json.dump() + "\n";
}

std::string TableLine(const DeviceBenchRow& row) {
  const std::string limit = row.of_limit > 0 ? fmt::format("{:.1f} %", 100 * row.of_limit) : "";
  return fmt::format("| {} | {} | {} | {:.3f} | {:.1f} {} | {} |\n", row.what, row.method, row.tokens,
                     1e3 * row.seconds, row.rate, row.unit, limit);
}

}  // namespace

void AddDeviceMeasures(CLI::App& app, DeviceBenchSettings& settings) {
  app.add_option("--shape", settings.shape, "With --device cuda: sizes of the model whose weights are drawn")
      ->type_name("NAME")
      ->group("Bench");
  app.add_option("--weights", settings.weights, "With --device cuda: bf16, f16, q8 or q4")
      ->type_name("NAME")
      ->group("Bench");
  app.add_option("--batch", settings.batch, "With --device cuda: sequences that are decoded together")
      ->check(Between(1, 1024))
      ->type_name("N")
      ->group("Bench");
  app.add_option("--copying-heads", settings.copying_heads,
                 "With --device cuda: so many heads, drawn at random, vote in ltri as retrieval heads do; -1: 3 in 64, "
                 "0: all heads vote")
      ->check(Between(-1, 1 << 20))
      ->type_name("N")
      ->group("Bench");
}

Status BenchDevice(const DeviceBenchSettings& settings, bool json) {
  Status printed;
  if (!json) printed = Print("| what | method | tokens | ms | rate | of the limit |\n|---|---|---|---|---|---|\n");
  Status status = RunDeviceBench(settings, [&](const DeviceBenchRow& row) {
    if (printed.ok()) printed = Print(json ? JsonLine(settings, row) : TableLine(row));
  });
  return status.ok() ? printed : status;
}

}  // namespace ltri
