// `ltri eval`: measures methods on tasks with known answers.
#ifndef LTRI_CLI_EVAL_H_
#define LTRI_CLI_EVAL_H_

namespace CLI {
class App;
}

namespace ltri {

// One sub-command a task.
void AddEvalCommand(CLI::App& app);
void AddNeedleCommand(CLI::App& eval);

}  // namespace ltri

#endif  // LTRI_CLI_EVAL_H_
