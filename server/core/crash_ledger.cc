// The ledger of crashes.
#include "server/core/crash_ledger.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"

namespace quern {
namespace {

// Forgetting a crash costs one more attempt, so the bound may be crude.
constexpr size_t kMaxKeys = 4096;

class MapCrashLedger final : public CrashLedger {
 public:
  MapCrashLedger(const CrashLedgerOptions& options, Clock& clock)
      : options_(options), clock_(clock) {}

  absl::Status Check(const KernelKey& key) override {
    const absl::Time now = clock_.Now();
    std::lock_guard lock(mutex_);
    const auto found = crashes_.find(key);
    if (found == crashes_.end()) return absl::OkStatus();
    const Crashes& crashes = found->second;
    if (now - crashes.last >= options_.refusal) {
      crashes_.erase(found);
      return absl::OkStatus();
    }
    if (crashes.count < options_.crashes_max) return absl::OkStatus();
    return absl::Status(
        crashes.status.code(),
        absl::StrCat("refused after ", crashes.count,
                     " attempts, the last: ", crashes.status.message()));
  }

  void Record(const KernelKey& key, const absl::Status& status) override {
    const absl::Time now = clock_.Now();
    std::lock_guard lock(mutex_);
    if (crashes_.size() >= kMaxKeys && !crashes_.contains(key)) ForgetOldest();
    Crashes& crashes = crashes_[key];
    ++crashes.count;
    crashes.last = now;
    crashes.status = status;
  }

  void Clear(const KernelKey& key) override {
    std::lock_guard lock(mutex_);
    crashes_.erase(key);
  }

 private:
  struct Crashes {
    uint32_t count = 0;
    absl::Time last;
    absl::Status status;
  };

  void ForgetOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    crashes_.erase(std::min_element(crashes_.begin(), crashes_.end(),
                                    [](const auto& a, const auto& b) {
                                      return a.second.last < b.second.last;
                                    }));
  }

  const CrashLedgerOptions options_;
  Clock& clock_;
  std::mutex mutex_;
  std::map<KernelKey, Crashes> crashes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<CrashLedger> NewCrashLedger(const CrashLedgerOptions& options,
                                            Clock& clock) {
  return std::make_unique<MapCrashLedger>(options, clock);
}

}  // namespace quern
