// Repair: brings a damaged library back to what can be trusted.
#ifndef LTRI_LIBRARY_REPAIR_H_
#define LTRI_LIBRARY_REPAIR_H_

#include <memory>
#include <string>
#include <vector>

#include "library/store.h"
#include "library/verify.h"

namespace ltri {

// Opens the library for writing. A catalogue that is missing or damaged is made anew from the documents' states (the
// damaged one is kept as catalogue.db.damaged); a document with damage goes back to the commit before, when that one
// has none. `repaired` gets a line for each. Damage that is left is for VerifyStore to find.
Result<std::unique_ptr<Store>> RepairStore(FileSystem& files, const std::string& folder,
                                           const ProgressCallback& progress, std::vector<std::string>* repaired);

}  // namespace ltri

#endif  // LTRI_LIBRARY_REPAIR_H_
