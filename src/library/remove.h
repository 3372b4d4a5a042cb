// RemoveDocument: takes a document out of a library.
#ifndef LTRI_LIBRARY_REMOVE_H_
#define LTRI_LIBRARY_REMOVE_H_

#include <string>

#include "library/store.h"

namespace ltri {

// The document is gone when the catalogue's transaction is; its files follow, now or with the next writer. Those who
// have it open may go on reading. Error kNotFound.
Status RemoveDocument(Store& store, const std::string& name);

}  // namespace ltri

#endif  // LTRI_LIBRARY_REMOVE_H_
