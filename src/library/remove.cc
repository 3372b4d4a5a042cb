#include "library/remove.h"

namespace ltri {

Status RemoveDocument(Store& store, const std::string& name) {
  const Result<DocumentRecord> record = store.catalogue().Find(name);
  if (!record.ok()) return record.error();
  if (Status status = store.catalogue().Remove(name); !status.ok()) return status;
  return store.files().RemoveFolder(store.FolderOf(record->id));
}

}  // namespace ltri
