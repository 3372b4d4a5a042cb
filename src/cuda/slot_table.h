// SlotTable: which far tokens one layer has in its slots (ops/cuda/types.h), where the host decides that: what lies in
// a file cannot be read by a kernel.
#ifndef LTRI_CUDA_SLOT_TABLE_H_
#define LTRI_CUDA_SLOT_TABLE_H_

#include <cassert>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "ops/cuda/types.h"

namespace ltri::cuda {

class SlotTable {
 public:
  explicit SlotTable(int64_t slots)
      : tokens_(static_cast<size_t>(slots), kNone), wanted_(static_cast<size_t>(slots), 0) {}

  // A token that a slot is to be filled with.
  struct Fill {
    int32_t token;
    int32_t slot;
    bool operator==(const Fill&) const = default;
  };

  // Where the far rows, ascending tokens and at most as many as there are slots, are read from now on: in a slot those
  // that `needs_slot(token)` says, and in the slot where they are already, the others at their own place. places: as
  // SequenceRef has them. fills: the slots that hold something else so far, by token.
  template <typename NeedsSlot>
  void Assign(std::span<const int32_t> rows, NeedsSlot&& needs_slot, std::vector<int32_t>* places,
              std::vector<Fill>* fills) {
    assert(rows.size() <= tokens_.size());
    places->assign(rows.begin(), rows.end());
    fills->clear();
    ++round_;
    std::vector<size_t> missing;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!needs_slot(rows[i])) continue;
      const auto found = slot_of_.find(rows[i]);
      if (found == slot_of_.end()) {
        missing.push_back(i);
        continue;
      }
      wanted_[static_cast<size_t>(found->second)] = round_;
      (*places)[i] = kMostTokens + found->second;
    }
    size_t slot = 0;
    for (const size_t i : missing) {
      while (wanted_[slot] == round_) ++slot;
      wanted_[slot] = round_;
      if (tokens_[slot] != kNone) slot_of_.erase(tokens_[slot]);
      tokens_[slot] = rows[i];
      slot_of_[rows[i]] = static_cast<int32_t>(slot);
      fills->push_back({rows[i], static_cast<int32_t>(slot)});
      (*places)[i] = kMostTokens + static_cast<int32_t>(slot);
    }
  }

  // The token of each slot; less than 0: none.
  const std::vector<int32_t>& tokens() const { return tokens_; }

  // Tokens have become others, or slots were not filled.
  void Forget() {
    tokens_.assign(tokens_.size(), kNone);
    slot_of_.clear();
  }

 private:
  static constexpr int32_t kNone = -1;

  std::vector<int32_t> tokens_;
  std::unordered_map<int32_t, int32_t> slot_of_;
  std::vector<uint64_t> wanted_;  // [slots] the last round that wanted what is there
  uint64_t round_ = 0;
};

}  // namespace ltri::cuda

#endif  // LTRI_CUDA_SLOT_TABLE_H_
