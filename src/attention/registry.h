// The methods by name.
#ifndef LTRI_ATTENTION_REGISTRY_H_
#define LTRI_ATTENTION_REGISTRY_H_

#include <memory>
#include <string>
#include <vector>

#include "attention/method.h"
#include "ltri/result.h"

namespace ltri {

// With what the model decides: whose votes count. head_table: [layers * heads] of the model; empty: not known.
SessionOptions Complete(SessionOptions options, const std::vector<float>& head_table);

// Fails with the wrong option's name and value when the options cannot be used with the model.
Result<std::unique_ptr<Method>> MakeMethod(const MethodContext& context, const SessionOptions& options);

// Names for messages and help, in the order in which people should meet them.
std::vector<std::string> MethodNames();

// Makers of the methods, one a file.
Result<std::unique_ptr<Method>> MakeDense(const MethodContext& context, const SessionOptions& options);
Result<std::unique_ptr<Method>> MakeStreaming(const MethodContext& context, const SessionOptions& options);
Result<std::unique_ptr<Method>> MakeRecall(const MethodContext& context, const SessionOptions& options);
Result<std::unique_ptr<Method>> MakeInfLlm(const MethodContext& context, const SessionOptions& options);

}  // namespace ltri

#endif  // LTRI_ATTENTION_REGISTRY_H_
