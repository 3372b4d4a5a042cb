#include "serve/step_budget.h"

#include <gtest/gtest.h>

namespace ltri {
namespace {

using Chosen = std::vector<size_t>;

TEST(StepBudgetTest, TheFirstPromptAlwaysFitsAndOthersWhileThereIsTime) {
  StepBudget budget(0.5, 0.1);
  budget.Took(0.1, 100, 0);
  while (budget.token_seconds() > 0.00101) budget.Took(0.1, 100, 0);
  EXPECT_EQ(budget.Choose(std::vector<PromptBlock>{{500}, {80}}, 0), Chosen{0});
  EXPECT_EQ(budget.Choose(std::vector<PromptBlock>{{40}, {40}, {40}}, 0), (Chosen{0, 1}));
  EXPECT_EQ(budget.Choose(std::vector<PromptBlock>{{500}, {500}, {10}}, 0), (Chosen{0, 2}));
  EXPECT_EQ(budget.Choose({}, 3), Chosen{});
}

TEST(StepBudgetTest, AnswersGetTheirShareOfTheTimeAfterAPrompt) {
  StepBudget budget(0.25, 0.1);
  const std::vector<PromptBlock> next = {{512}};
  budget.Took(1.0, 512, 4);  // the prompt took 1 s, so answers get 3 s
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(budget.Choose(next, 4), Chosen{}) << i;
    budget.Took(0.101, 0, 4);
  }
  EXPECT_EQ(budget.Choose(next, 4), Chosen{0});
}

TEST(StepBudgetTest, APromptsFirstBlockDoesNotWait) {
  StepBudget budget(0.5, 0.1);
  budget.Took(1.0, 512, 4);
  EXPECT_EQ(budget.Choose(std::vector<PromptBlock>{{512, false}, {512, true}}, 4), Chosen{1});
}

TEST(StepBudgetTest, WhatIsShortDoesNotWaitAndDelaysNobody) {
  StepBudget budget(0.5, 0.1);
  budget.Took(1.0, 512, 4);
  EXPECT_EQ(budget.Choose(std::vector<PromptBlock>{{512}, {1}}, 4), Chosen{1});
  for (int i = 0; i < 100; ++i) budget.Took(0.0101, 1, 4);  // without end, and yet the long prompt's turn comes
  EXPECT_EQ(budget.Choose(std::vector<PromptBlock>{{512}, {1}}, 4), (Chosen{0, 1}));
}

TEST(StepBudgetTest, WithoutAnswersPromptsHaveAllTheTime) {
  StepBudget budget(0.5, 0.1);
  budget.Took(1.0, 512, 4);
  EXPECT_EQ(budget.Choose(std::vector<PromptBlock>{{512}}, 0), Chosen{0});
  budget.Took(1.0, 512, 0);
  EXPECT_EQ(budget.Choose(std::vector<PromptBlock>{{512}}, 4), Chosen{0});
}

}  // namespace
}  // namespace ltri
