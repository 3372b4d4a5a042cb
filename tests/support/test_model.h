// Real models for the tests that need them.
#ifndef LTRI_TESTS_SUPPORT_TEST_MODEL_H_
#define LTRI_TESTS_SUPPORT_TEST_MODEL_H_

#include <string>

namespace ltri {

// The file of a model: $LTRI_TEST_MODEL for "smollm2" and $LTRI_TEST_GEMMA for "gemma3-270m" when set, else the stored
// model of that name; empty when missing.
std::string TestModel(const std::string& name);

inline constexpr const char* kNoTestModel =
    "skipped: the model is missing; fetch it with `ltri pull`, or name SmolLM2's file in LTRI_TEST_MODEL";

}  // namespace ltri

#endif  // LTRI_TESTS_SUPPORT_TEST_MODEL_H_
