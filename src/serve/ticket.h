// Ticket: the client's end of a request. The scheduler puts events in, the client's thread takes them out.
//
// Thread-safe. After RequestEnded or RequestFailed nothing follows.
#ifndef LTRI_SERVE_TICKET_H_
#define LTRI_SERVE_TICKET_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "serve/generate_event.h"

namespace ltri {

class Ticket {
 public:
  // The next event; nothing when none came in this time.
  std::optional<GenerateEvent> Wait(std::chrono::milliseconds most) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (!came_.wait_for(lock, most, [this] { return !events_.empty(); })) return std::nullopt;
    GenerateEvent event = std::move(events_.front());
    events_.pop_front();
    return event;
  }

  // The client has left: the scheduler gives the request up before its next step.
  void Cancel() { cancelled_ = true; }
  bool cancelled() const { return cancelled_; }

  void Put(GenerateEvent event) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      events_.push_back(std::move(event));
    }
    came_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<GenerateEvent> events_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace ltri

#endif  // LTRI_SERVE_TICKET_H_
