// The gate before the core.
#include "server/core/compiler_gate.h"

#include <map>
#include <mutex>
#include <utility>

#include "absl/base/thread_annotations.h"

namespace quern {
namespace {

class LockedCompilerGate final : public CompilerGate {
 public:
  explicit LockedCompilerGate(size_t waiting_max) : waiting_max_(waiting_max) {}

  absl::Status Enter(uint64_t call, Passed passed) override {
    absl::StatusOr<CompilerIdentity> state;
    {
      std::lock_guard lock(mutex_);
      if (!state_) {
        if (waiting_.size() >= waiting_max_) {
          return absl::ResourceExhaustedError(
              "too many compiles wait for the compiler to start");
        }
        waiting_.emplace(call, std::move(passed));
        return absl::OkStatus();
      }
      state = *state_;
    }
    passed(state);
    return absl::OkStatus();
  }

  Passed Leave(uint64_t call) override {
    std::lock_guard lock(mutex_);
    const auto found = waiting_.find(call);
    if (found == waiting_.end()) return nullptr;
    Passed passed = std::move(found->second);
    waiting_.erase(found);
    return passed;
  }

  void Open(const CompilerIdentity& identity) override { Settle(identity); }

  void Fail(const absl::Status& reason) override { Settle(reason); }

  std::optional<CompilerIdentity> identity() override {
    std::lock_guard lock(mutex_);
    if (!state_ || !state_->ok()) return std::nullopt;
    return **state_;
  }

 private:
  void Settle(const absl::StatusOr<CompilerIdentity>& state) {
    std::map<uint64_t, Passed> passing;
    {
      std::lock_guard lock(mutex_);
      state_ = state;
      passing.swap(waiting_);
    }
    for (auto& [call, passed] : passing) passed(state);
  }

  const size_t waiting_max_;
  std::mutex mutex_;
  // None: not known yet.
  std::optional<absl::StatusOr<CompilerIdentity>> state_
      ABSL_GUARDED_BY(mutex_);
  // In the order of arrival, because numbers of calls rise.
  std::map<uint64_t, Passed> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<CompilerGate> NewCompilerGate(size_t waiting_max) {
  return std::make_unique<LockedCompilerGate>(waiting_max);
}

}  // namespace quern
