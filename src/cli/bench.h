// `ltri bench`: how fast every method reads and decodes, beside llama.cpp and the machine's limits.
#ifndef LTRI_CLI_BENCH_H_
#define LTRI_CLI_BENCH_H_

namespace CLI {
class App;
}

namespace ltri {

void AddBenchCommand(CLI::App& app);

}  // namespace ltri

#endif  // LTRI_CLI_BENCH_H_
