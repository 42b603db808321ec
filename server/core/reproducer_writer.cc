// A queue of one.
#include "server/core/reproducer_writer.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"

namespace quern {
namespace {

struct Reproducer {
  KernelKey key;
  CompileSpec spec;
  absl::Status status;
};

class ThreadedReproducerWriter final : public ReproducerWriter {
 public:
  ThreadedReproducerWriter(std::unique_ptr<ReproducerStore> store,
                           EventFeed& events)
      : store_(std::move(store)), events_(events), thread_([this] { Run(); }) {}

  ~ThreadedReproducerWriter() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  void Offer(const KernelKey& key, const CompileSpec& spec,
             const absl::Status& status) override {
    {
      const std::lock_guard lock(mutex_);
      if (waiting_) return;
      waiting_ = Reproducer{.key = key, .spec = spec, .status = status};
    }
    wake_.notify_one();
  }

 private:
  void Run() {
    while (const std::optional<Reproducer> next = Take()) {
      if (!store_->Save(next->key, next->spec, next->status)) continue;
      events_.Publish({.kind = EventKind::kReproducerSaved,
                       .key = next->key,
                       .code = next->status.code()});
    }
  }

  // Waits for the next; none: it is the end, and nothing waits.
  std::optional<Reproducer> Take() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return stopping_ || waiting_;
    });
    return std::exchange(waiting_, std::nullopt);
  }

  const std::unique_ptr<ReproducerStore> store_;
  EventFeed& events_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<Reproducer> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<ReproducerWriter> NewReproducerWriter(
    std::unique_ptr<ReproducerStore> store, EventFeed& events) {
  return std::make_unique<ThreadedReproducerWriter>(std::move(store), events);
}

}  // namespace quern
