// ApiError: an error as OpenAI's clients expect it: a status and {"error": {"message", "type", "param", "code"}}.
#ifndef LTRI_SERVE_API_ERROR_H_
#define LTRI_SERVE_API_ERROR_H_

#include <string>

#include "ltri/result.h"

namespace ltri {

struct ApiError {
  int status = 400;
  std::string message;
  std::string param{};  // the field that is wrong; empty: none
  std::string code{};   // for programs; empty: none
};

// Ours, with the status that fits its code.
ApiError ToApiError(const Error& error);

// The body of the reply, and the type that its status stands for.
std::string ErrorBody(const ApiError& error);

}  // namespace ltri

#endif  // LTRI_SERVE_API_ERROR_H_
