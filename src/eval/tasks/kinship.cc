#include "eval/tasks/kinship.h"

#include <fmt/format.h>

#include "eval/tasks/draw.h"

namespace ltri {
namespace {

struct Term {
  const char* name;
  int64_t generations;
};

// {0} the elder, {1} the younger, {2} what the elder is to the younger.
struct Vocabulary {
  std::vector<Term> terms;
  std::vector<const char*> patterns;
};

const Vocabulary kEnglish = {
    {{"father", 1},
     {"mother", 1},
     {"dad", 1},
     {"mom", 1},
     {"grandfather", 2},
     {"grandmother", 2},
     {"maternal grandmother", 2},
     {"maternal grandfather", 2},
     {"paternal grandfather", 2},
     {"paternal grandmother", 2}},
    {"{0} is {1}'s {2}.", "{1}'s {2} is {0}.", "{0}, as {1}'s {2}, has a significant impact on {1}'s upbringing.",
     "{0} is not only {1}'s {2} but also {1}'s role model.",
     "During {1}'s upbringing, {0} was not only {1}'s {2}, but also {1}'s guardian.",
     "For {1}, {0} is not just a {2}, but also a friend.",
     "For {1}, {0} is more than just a {2}; {0} is a lifelong mentor of {1}."}};

const Vocabulary kChinese = {
    {{"父亲", 1},
     {"母亲", 1},
     {"爸爸", 1},
     {"妈妈", 1},
     {"爷爷", 2},
     {"奶奶", 2},
     {"姥姥", 2},
     {"姥爷", 2},
     {"外公", 2},
     {"外婆", 2}},
    {"{0}是{1}的{2}。", "{1}的{2}是{0}。", "{0}作为{1}的{2}，对{1}的成长有重要影响。",
     "{0}不仅是{1}的{2}，还是{1}的榜样。", "{0}在{1}的成长过程中，不仅仅是{1}的{2}，还是{1}的监护人。",
     "{0}对{1}来说，不只是一个{2}，还是一个朋友。"}};

// What differs between the four questions. {0}: the person or persons asked about, {1}: generations.
struct Wording {
  const char* goal;  // what the task is, in one clause
  const char* question;
  const char* boxed;  // the sentence that the answer ends with; {0} as above, {1} generations
  const char* examples[3];
};

const Wording kEnglishWordings[] = {
    {"identify the eldest ancestor",
     "Given the scrambled family relationships described above, who is the eldest relative that '{0}' can trace back "
     "to in "
     "the context?",
     "So the oldest relative '{0}' can trace back to in the provided text is \\boxed{{somebody (your answer here)}}.",
     {"If Nora Field's father is Owen Field, the eldest relative that Nora Field can trace back to is \\boxed{Owen "
      "Field}.",
      "If Nora Field's grandmother is Ella Marsh, and Ella Marsh's father is Hugh Marsh, it is \\boxed{Hugh Marsh}.",
      "If Nora Field's father is Owen Field, his grandmother is Ella Marsh, and Ella Marsh's mother is Kate Lowe, it "
      "is "
      "\\boxed{Kate Lowe}."}},
    {"identify a specific ancestor",
     "Given the scrambled family relationships described above, who is the {1}th generation ancestor of '{0}'?",
     "So the {1}th generation ancestor of '{0}' is \\boxed{{somebody (your answer here)}}.",
     {"If Nora Field's father is Owen Field, Owen Field is Nora Field's 1st generation ancestor.",
      "If Nora Field's grandmother is Ella Marsh, Ella Marsh is her 2nd generation ancestor, because grandmother "
      "counts as 2 "
      "generations.",
      "If Nora Field's father is Owen Field, and Owen Field's grandmother is Ella Marsh, Ella Marsh is Nora Field's "
      "3rd "
      "generation ancestor."}},
    {"identify a specific descendant",
     "Given the scrambled family relationships described above, who is the {1}th generation descendant of '{0}'?",
     "So the {1}th generation descendant of '{0}' is \\boxed{{somebody (your answer here)}}.",
     {"If Nora Field's father is Owen Field, Nora Field is Owen Field's 1st generation descendant.",
      "If Nora Field's grandmother is Ella Marsh, Nora Field is Ella Marsh's 2nd generation descendant, because "
      "grandmother "
      "counts as 2 generations.",
      "If Nora Field's father is Owen Field, and Owen Field's grandmother is Ella Marsh, Nora Field is Ella Marsh's "
      "3rd "
      "generation descendant."}},
    {"calculate the relationship distance, which is the smallest number of generations between two persons in the "
     "family",
     "Given the scrambled family relationships described above, what is the relationship distance between {0}?",
     "So the relationship distance between {0} is \\boxed{{5}}.",
     {"If Nora Field's father is Owen Field, the relationship distance between them is 1.",
      "If Nora Field's grandmother is Ella Marsh, it is 2, because grandmother counts as 2 generations.",
      "If Nora Field's father is Owen Field, and Owen Field's grandmother is Ella Marsh, the distance between Nora "
      "Field and "
      "Ella Marsh is 3."}}};

const Wording kChineseWordings[] = {
    {"找出最年长的祖先",
     "在上面提供的打乱的家族关系文本中，'{0}'的能够向上追溯到的最年长的亲人是谁？",
     "所以从提供的文本中，'{0}'能够向上追溯到的最年长的亲人是\\boxed{{某人（你的答案）}}。",
     {"如果田小禾的父亲是田守业，那么田小禾能够向上追溯到的最年长的亲人是\\boxed{田守业}。",
      "如果田小禾的奶奶是柳如烟，柳如烟的父亲是柳长庚，那么是\\boxed{柳长庚}。",
      "如果田小禾的父亲是田守业，田守业的奶奶是柳如烟，柳如烟的母亲是骆秋水，那么是\\boxed{骆秋水}。"}},
    {"找出特定的祖先",
     "在上面提供的打乱的家族关系文本中，'{0}'的{1}代祖先是谁？",
     "所以从提供的文本中，'{0}'的{1}代祖先是\\boxed{{某人（你的答案）}}。",
     {"如果田小禾的父亲是田守业，那么田守业是田小禾的1代祖先。",
      "如果田小禾的奶奶是柳如烟，那么柳如烟是田小禾的2代祖先，因为奶奶算2代。",
      "如果田小禾的父亲是田守业，田守业的奶奶是柳如烟，那么柳如烟是田小禾的3代祖先。"}},
    {"找出特定的子孙",
     "在上面提供的打乱的家族关系文本中，'{0}'的{1}代子孙是谁？",
     "所以从提供的文本中，'{0}'的{1}代子孙是\\boxed{{某人（你的答案）}}。",
     {"如果田小禾的父亲是田守业，那么田小禾是田守业的1代子孙。",
      "如果田小禾的奶奶是柳如烟，那么田小禾是柳如烟的2代子孙，因为奶奶算2代。",
      "如果田小禾的父亲是田守业，田守业的奶奶是柳如烟，那么田小禾是柳如烟的3代子孙。"}},
    {"计算关系距离，也就是家族中两个人之间最少相隔的代数",
     "在上面提供的打乱的家族关系文本中，{0}之间的关系距离是多少？",
     "所以{0}之间的关系距离是\\boxed{{5}}。",
     {"如果田小禾的父亲是田守业，那么两人之间的关系距离是1。",
      "如果田小禾的奶奶是柳如烟，那么关系距离是2，因为奶奶算2代。",
      "如果田小禾的父亲是田守业，田守业的奶奶是柳如烟，那么田小禾和柳如烟之间的关系距离是3。"}}};

bool IsChinese(const std::string& language) { return language == "zh"; }

const Wording& WordingOf(const std::string& language, KinshipQuestion question) {
  const auto i = static_cast<size_t>(question);
  return IsChinese(language) ? kChineseWordings[i] : kEnglishWordings[i];
}

// Whom the question is about.
std::string Subject(const std::string& language, KinshipQuestion question, const Kinship& chain) {
  switch (question) {
    case KinshipQuestion::kNthDescendant:
      return chain.names.front();
    case KinshipQuestion::kDistance:
      return fmt::format("'{}'{}'{}'", chain.names.front(), IsChinese(language) ? "和" : " and ", chain.names.back());
    default:
      return chain.names.back();
  }
}

std::string Answer(KinshipQuestion question, const Kinship& chain) {
  switch (question) {
    case KinshipQuestion::kNthDescendant:
      return chain.names.back();
    case KinshipQuestion::kDistance:
      return std::to_string(chain.generations);
    default:
      return chain.names.front();
  }
}

std::string Examples(const std::string& language, const Wording& wording) {
  std::string text = IsChinese(language) ? "例如：\n" : "For example:\n";
  for (const char* example : wording.examples) text += fmt::format("- {}\n", example);
  return text + "\n";
}

std::string Notes(const std::string& language, KinshipQuestion question, const std::string& boxed) {
  const bool counts = question != KinshipQuestion::kEldestAncestor;
  if (IsChinese(language)) {
    return fmt::format(
        "注意：\n1. 不用考虑名字和性别是否一致。\n2. 不用考虑姓氏的遗传。\n{}{}. "
        "回答的最后，记得把你的最终答案放在\\boxed{{}}中，例如：“{}”\n\n",
        counts ? "3. 父亲、母亲、爸爸、妈妈算1代；爷爷、奶奶、姥姥、姥爷、外公、外婆算2代。\n" : "", counts ? 4 : 3,
        boxed);
  }
  return fmt::format(
      "Notes:\n1. You do not need to worry about whether a name fits a gender.\n2. You do not need to worry about how "
      "surnames are inherited.\n{}{}. At the end of your response, remember to put your final answer within "
      "\\boxed{{}}. "
      "For example: \"{}\"\n\n",
      counts ? "3. father, mother, dad and mom count as 1 generation; grandfather, grandmother, maternal and paternal "
               "grandmother and grandfather count as 2 generations.\n"
             : "",
      counts ? 4 : 3, boxed);
}

}  // namespace

Kinship DrawKinship(Random& random, const std::string& language, const std::vector<std::string>& pool,
                    int64_t relations) {
  const Vocabulary& vocabulary = IsChinese(language) ? kChinese : kEnglish;
  Kinship chain;
  for (const int64_t i : DrawDistinct(random, static_cast<int64_t>(pool.size()), relations + 1)) {
    chain.names.push_back(pool[static_cast<size_t>(i)]);
  }
  for (size_t i = 0; i + 1 < chain.names.size(); ++i) {
    const char* pattern = Choose(random, vocabulary.patterns);
    const Term& term = Choose(random, vocabulary.terms);
    chain.sentences.push_back(fmt::format(fmt::runtime(pattern), chain.names[i], chain.names[i + 1], term.name));
    chain.generations += term.generations;
  }
  return chain;
}

KinshipPrompt AskKinship(const std::string& language, KinshipQuestion question, const Kinship& chain) {
  const Wording& wording = WordingOf(language, question);
  const std::string subject = Subject(language, question, chain);
  const std::string boxed = fmt::format(fmt::runtime(wording.boxed), subject, chain.generations);
  KinshipPrompt prompt;
  prompt.before =
      fmt::format(fmt::runtime(
                      IsChinese(language)
                          ? "下面是一个多步推理能力的测试，名为祖先追溯测试。我们会给出不同人之间的家族关系，你的任务是"
                            "不断推理，直到{}。\n\n"
                          : "Here is a test for multi-step reasoning ability called the Ancestral Trace Challenge. "
                            "In this test, we will simulate different people's familial relationships, and your "
                            "task is to continuously reason through them until you {}.\n\n"),
                  wording.goal) +
      Examples(language, wording) + Notes(language, question, boxed) +
      (IsChinese(language) ? "现在，打乱的家族关系文本如下：\n"
                           : "Now, the scrambled family relationships are provided below:\n");
  prompt.after = "\n\n" + fmt::format(fmt::runtime(wording.question), subject, chain.generations) + "\n";
  prompt.answer = Answer(question, chain);
  return prompt;
}

std::string AskEldestInDocument(const std::string& language, const std::string& youngest) {
  const KinshipQuestion question = KinshipQuestion::kEldestAncestor;
  const Wording& wording = WordingOf(language, question);
  const std::string boxed = fmt::format(fmt::runtime(wording.boxed), youngest, 0);
  const std::string asked = IsChinese(language)
                                ? fmt::format("在上面提供的文本中，'{}'的能够向上追溯到的最年长的亲人是谁？", youngest)
                                : fmt::format(
                                      "Given the context described above, who is the eldest relative that '{}' can "
                                      "trace back to in the context?",
                                      youngest);
  return asked + "\n" + Examples(language, wording) + Notes(language, question, boxed);
}

}  // namespace ltri
