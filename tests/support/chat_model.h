// The tiny model with ChatML as its chat template.
#ifndef LTRI_TESTS_SUPPORT_CHAT_MODEL_H_
#define LTRI_TESTS_SUPPORT_CHAT_MODEL_H_

#include <memory>
#include <string>

#include "ltri/model.h"

namespace ltri::testing {

std::shared_ptr<Model> ChatModel();
// With another template. name: of its own for each.
std::shared_ptr<Model> ChatModelWith(const std::string& name, const char* chat_template);

}  // namespace ltri::testing

#endif  // LTRI_TESTS_SUPPORT_CHAT_MODEL_H_
