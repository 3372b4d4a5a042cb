// Sessions of the prefix cache on disk, from one run of the server to the next.
//
// A folder `kept` with segment files (docs/format_segment.md) that all sessions share, and a file `sessions` with the
// model's fingerprint, the segments' lengths and each session's state, under a checksum. It is a cache: whatever is
// wrong with it, the server starts without.
#ifndef LTRI_SERVE_KEPT_SESSIONS_H_
#define LTRI_SERVE_KEPT_SESSIONS_H_

#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "engine/session_impl.h"

namespace ltri {

// Replaces what `folder` keeps. sessions: the one used last first.
Status KeepSessions(FileSystem& files, const std::string& folder, const std::vector<Session::Impl*>& sessions);

// What KeepSessions kept; none when there is nothing. Their blocks are read when they are needed. Errors: kCorrupt,
// kIo, kUnsupported, and kInvalidArgument when another model read them.
Result<std::vector<std::unique_ptr<Session::Impl>>> BringBackSessions(FileSystem& files, const std::string& folder,
                                                                      const std::shared_ptr<Model>& model,
                                                                      const std::shared_ptr<Tier>& tier);

}  // namespace ltri

#endif  // LTRI_SERVE_KEPT_SESSIONS_H_
