// The tiny model with ChatML as its chat template.
#ifndef LTRI_TESTS_SUPPORT_CHAT_MODEL_H_
#define LTRI_TESTS_SUPPORT_CHAT_MODEL_H_

#include <memory>

#include "ltri/model.h"

namespace ltri::testing {

std::shared_ptr<Model> ChatModel();

}  // namespace ltri::testing

#endif  // LTRI_TESTS_SUPPORT_CHAT_MODEL_H_
