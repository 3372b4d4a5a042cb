#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "eval/run/target.h"

namespace ltri {
namespace {

class SessionTarget : public Target {
 public:
  SessionTarget(std::shared_ptr<Model> model, SessionTargetOptions options)
      : model_(std::move(model)), options_(std::move(options)) {}

  const std::string& name() const override { return options_.name; }

  nlohmann::ordered_json Settings() const override { return options_.settings; }

  Result<TrialAnswer> Ask(const Sample& sample, const ProgressCallback& progress) override {
    Result<TrialPrompt> prompt = TokenizeSample(*model_, sample, options_.frame);
    if (!prompt.ok()) return prompt.error();
    if (options_.dense != nullptr) {
      const Result<const DenseAttention*> dense = options_.dense->Of(*model_, sample, *prompt);
      if (!dense.ok()) return dense.error();
      prompt->dense = *dense;
    }
    return RunTrial(model_, options_.session, *prompt, progress);
  }

 private:
  std::shared_ptr<Model> model_;
  SessionTargetOptions options_;
};

}  // namespace

Result<const DenseAttention*> DenseCache::Of(Model& model, const Sample& sample, const TrialPrompt& prompt) {
  const std::string cell = fmt::format("{}/{}", sample.task, sample.length);
  if (cell != cell_) dense_.clear();
  cell_ = cell;
  const std::string id = SampleId(sample);
  if (const auto known = dense_.find(id); known != dense_.end()) return &known->second;
  Result<DenseAttention> dense = DenseAttention::Measure(model, prompt.tokens);
  if (!dense.ok()) return dense.error();
  return &dense_.emplace(id, std::move(*dense)).first->second;
}

std::unique_ptr<Target> MakeSessionTarget(std::shared_ptr<Model> model, SessionTargetOptions options) {
  return std::make_unique<SessionTarget>(std::move(model), std::move(options));
}

}  // namespace ltri
