// `ltri eval`: measures methods on tasks with known answers.
#ifndef LTRI_CLI_EVAL_H_
#define LTRI_CLI_EVAL_H_

namespace CLI {
class App;
}

namespace ltri {

// One sub-command a task.
void AddEvalCommand(CLI::App& app);
void AddSuiteCommands(CLI::App& eval);  // niah, ruler, needlebench, infinitebench, longbench, quick
void AddSamplesCommand(CLI::App& eval);
void AddPerplexityCommand(CLI::App& eval);
void AddAblateCommand(CLI::App& eval);
void AddCompareCommand(CLI::App& eval);
void AddNeedleCommand(CLI::App& eval);

}  // namespace ltri

#endif  // LTRI_CLI_EVAL_H_
