// Verify: looks at every byte of a library that counts, and names what is damaged.
#ifndef LTRI_LIBRARY_VERIFY_H_
#define LTRI_LIBRARY_VERIFY_H_

#include <string>
#include <vector>

#include "library/store.h"
#include "ltri/library.h"

namespace ltri {

// Progress is in bytes. Errors are those that end the search: kNotFound (a name that is not there), kCancelled. Reads
// may go on beside it, and a writer too: what it commits meanwhile is not looked at.
Result<VerifyReport> VerifyStore(Store& store, const std::vector<std::string>& names, const ProgressCallback& progress);

// The same for one document as `record` describes it. Error kCancelled.
Result<VerifyReport> VerifyDocument(Store& store, const DocumentRecord& record, const ProgressCallback& progress);

}  // namespace ltri

#endif  // LTRI_LIBRARY_VERIFY_H_
