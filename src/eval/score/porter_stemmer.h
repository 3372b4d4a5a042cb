// Porter's stemmer (1980) with the amendments of NLTK, which ROUGE uses.
#ifndef LTRI_EVAL_SCORE_PORTER_STEMMER_H_
#define LTRI_EVAL_SCORE_PORTER_STEMMER_H_

#include <string>

namespace ltri {

// word: lower-case ASCII letters and digits.
std::string PorterStem(const std::string& word);

}  // namespace ltri

#endif  // LTRI_EVAL_SCORE_PORTER_STEMMER_H_
