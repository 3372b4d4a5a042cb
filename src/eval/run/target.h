// Target: whatever can be asked a sample: a method of the engine in this process, or a server.
#ifndef LTRI_EVAL_RUN_TARGET_H_
#define LTRI_EVAL_RUN_TARGET_H_

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "eval/dense_attention.h"
#include "eval/run/token_prompt.h"
#include "eval/sample.h"
#include "eval/trial.h"

namespace ltri {

class Target {
 public:
  virtual ~Target() = default;

  // Distinct within a run: "ltri", "ltri, kappa 1", "http://host:8080".
  virtual const std::string& name() const = 0;
  // What must be the same for a run to be resumed.
  virtual nlohmann::ordered_json Settings() const = 0;
  virtual Result<TrialAnswer> Ask(const Sample& sample, const ProgressCallback& progress) = 0;
};

// Dense attention of the last samples that were asked, shared by the targets that are asked the same.
class DenseCache {
 public:
  // Measured once for each sample; those of another task or length are forgotten.
  Result<const DenseAttention*> Of(Model& model, const Sample& sample, const TrialPrompt& prompt);

 private:
  std::string cell_;
  std::map<std::string, DenseAttention> dense_;  // by SampleId
};

// The engine in this process. settings: of `options`, as the command line names them.
struct SessionTargetOptions {
  std::string name;
  SessionOptions session;
  nlohmann::ordered_json settings;
  std::optional<ChatFrame> frame;
  std::shared_ptr<DenseCache> dense;  // null: the attention mass is not measured
};
std::unique_ptr<Target> MakeSessionTarget(std::shared_ptr<Model> model, SessionTargetOptions options);

// An OpenAI-compatible server.
struct ServerOptions {
  std::string url;        // "http://localhost:8080", without /v1
  std::string model{};    // as the server names it; may be empty
  std::string key{};      // sent as a bearer token; may be empty
  bool chat = false;      // /v1/chat/completions instead of /v1/completions
  double timeout = 3600;  // seconds for one answer
};
// Error kInvalidArgument when the URL cannot be used.
Result<std::unique_ptr<Target>> MakeServerTarget(ServerOptions options);

}  // namespace ltri

#endif  // LTRI_EVAL_RUN_TARGET_H_
