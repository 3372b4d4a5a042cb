// ResultsStore: the results of a run as they come, in a file that outlives any stop: samples.jsonl. Its first line says
// what was run; each other line is one record.
//
// Not thread-safe. One writer at a time for a folder.
#ifndef LTRI_EVAL_RUN_RESULTS_STORE_H_
#define LTRI_EVAL_RUN_RESULTS_STORE_H_

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "eval/run/record.h"

namespace ltri {

class ResultsStore {
 public:
  // Keeps nothing on disk.
  ResultsStore() = default;

  // folder: is made when missing. run: what is run. With `resume`, goes on with what is there, which must be of the
  // same run but for its targets' number; a last line that was cut off is written anew. Errors: kIo; kInvalidArgument
  // when there are results already and `resume` is not set, or they are of another run.
  static Result<ResultsStore> Open(const std::string& folder, const nlohmann::ordered_json& run, bool resume);

  bool Has(const std::string& target, const std::string& id) const { return done_.contains({target, id}); }
  Status Add(Record record);
  const std::vector<Record>& records() const { return records_; }

 private:
  Status Load(const std::string& path, const nlohmann::ordered_json& run);

  std::ofstream file_;
  std::string path_;  // empty: nothing on disk
  std::vector<Record> records_;
  std::set<std::pair<std::string, std::string>> done_;
};

// The records of a finished or stopped run. Errors: kNotFound, kCorrupt.
struct StoredRun {
  nlohmann::ordered_json run;
  std::vector<Record> records;
};
Result<StoredRun> ReadRun(const std::string& folder);

}  // namespace ltri

#endif  // LTRI_EVAL_RUN_RESULTS_STORE_H_
