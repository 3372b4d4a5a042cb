// SessionContender: one method of ours in a bench.
#ifndef LTRI_BENCH_SESSION_CONTENDER_H_
#define LTRI_BENCH_SESSION_CONTENDER_H_

#include <memory>
#include <string>

#include "bench/contender.h"
#include "engine/session_impl.h"

namespace ltri {

class SessionContender : public Contender {
 public:
  SessionContender(std::shared_ptr<Model> model, SessionOptions options, StopCheck stop)
      : model_(std::move(model)), options_(std::move(options)), stop_(std::move(stop)) {}

  std::string name() const override { return options_.method; }
  Result<double> Read(std::span<const TokenId> text) override;
  double DetectionShare() const override { return detection_share_; }
  Status GoTo(std::span<const TokenId> text, int64_t depth, int64_t room) override;
  Result<double> Decode(std::span<const TokenId> tokens) override;
  int64_t BytesSeen() const override { return bytes_seen_; }
  int64_t MemoryUsed() const override { return memory_used_; }
  void Release() override;

 private:
  using Text = std::unique_ptr<Session::Impl>;

  Result<Text> Open() const;
  Status Fill(Session::Impl& session, std::span<const TokenId> text) const;

  std::shared_ptr<Model> model_;
  SessionOptions options_;
  StopCheck stop_;
  Text read_;  // a long text, to be stretched to several depths
  Text at_;    // what Decode starts from; null: nothing
  double detection_share_ = 0;
  int64_t bytes_seen_ = 0;
  int64_t memory_used_ = 0;
};

}  // namespace ltri

#endif  // LTRI_BENCH_SESSION_CONTENDER_H_
