// Recovery: what a writer does before it begins. Nothing that is committed is touched.
#ifndef LTRI_LIBRARY_RECOVERY_H_
#define LTRI_LIBRARY_RECOVERY_H_

#include <string>

#include "base/file.h"
#include "library/catalogue.h"

namespace ltri {

// Cuts segment files back to their committed length, and removes segment files, states and folders that the catalogue
// does not know: what an interrupted run left. Files that are missing or too short are left to Verify.
Status Recover(FileSystem& files, const std::string& folder, Catalogue& catalogue);

}  // namespace ltri

#endif  // LTRI_LIBRARY_RECOVERY_H_
