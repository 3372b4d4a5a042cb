// How what a layer of ltri weighs and has chosen is written into a saved session, on the host and on a card.
#ifndef LTRI_ATTENTION_CHOICE_STATE_H_
#define LTRI_ATTENTION_CHOICE_STATE_H_

#include <cstdint>
#include <vector>

#include "base/serial.h"
#include "ltri/session.h"
#include "spans/ballot.h"

namespace ltri {

void PutBallot(const Ballot& ballot, StateWriter* to);
// Votes on the first `spans` spans, ascending.
Ballot GetBallot(StateReader* from, int64_t spans);

void PutRanges(const std::vector<TokenRange>& ranges, StateWriter* to);
// Of a text of `tokens`.
std::vector<TokenRange> GetRanges(StateReader* from, int64_t tokens);

}  // namespace ltri

#endif  // LTRI_ATTENTION_CHOICE_STATE_H_
