// The names of a session's choices on the command line and in reports.
#ifndef LTRI_CLI_SESSION_CHOICES_H_
#define LTRI_CLI_SESSION_CHOICES_H_

#include "cli/option_types.h"
#include "ltri/options.h"

namespace ltri {

inline constexpr Choice<Positions> kPositions[] = {{"auto", Positions::kAuto},
                                                   {"true", Positions::kTrue},
                                                   {"clamp", Positions::kClamp},
                                                   {"compact", Positions::kCompact}};
inline constexpr Choice<Prefill> kPrefills[] = {
    {"auto", Prefill::kAuto}, {"stream", Prefill::kStream}, {"dense", Prefill::kDense}};
inline constexpr Choice<SpanSelector> kSelectors[] = {
    {"partition", SpanSelector::kPartition}, {"nms", SpanSelector::kNms}, {"fixed", SpanSelector::kFixed}};
inline constexpr Choice<IndexVectors> kIndexes[] = {{"even", IndexVectors::kEven},
                                                    {"received", IndexVectors::kReceived},
                                                    {"dynamic", IndexVectors::kDynamic},
                                                    {"mean4", IndexVectors::kMean4},
                                                    {"all", IndexVectors::kAll}};
inline constexpr Choice<Sharing> kSharings[] = {
    {"global", Sharing::kGlobal}, {"layer", Sharing::kLayer}, {"kv_head", Sharing::kKvHead}, {"head", Sharing::kHead}};
inline constexpr Choice<VoteWeights> kVoteWeights[] = {{"auto", VoteWeights::kAuto},
                                                       {"entropy", VoteWeights::kEntropy},
                                                       {"uniform", VoteWeights::kUniform},
                                                       {"head-table", VoteWeights::kHeadTable}};
inline constexpr Choice<Votes> kVotes[] = {{"softmax", Votes::kSoftmax}, {"raw", Votes::kRaw}};
inline constexpr Choice<VotingQueries> kVotingQueries[] = {{"sub-blocks", VotingQueries::kSubBlocks},
                                                           {"block-mean", VotingQueries::kBlockMean}};

}  // namespace ltri

#endif  // LTRI_CLI_SESSION_CHOICES_H_
