// A queue and the thread that writes it.
#include "cache/write_behind_image_store.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"

namespace quern {
namespace {

struct QueuedWrite {
  KernelKey key;
  Image image;
  SourceSpec source;

  uint64_t size_bytes() const {
    return image->size() + (source == nullptr ? 0 : source->source.size());
  }
};

class ThreadedImageStore final : public WriteBehindImageStore {
 public:
  ThreadedImageStore(std::unique_ptr<ImageStore> base,
                     WriteBehindOptions options)
      : options_(std::move(options)),
        base_(std::move(base)),
        thread_([this] { Work(); }) {}

  ~ThreadedImageStore() override {
    Drain(absl::ZeroDuration());
    thread_.join();
  }

  absl::StatusOr<Image> Get(const KernelKey& key) override {
    if (const auto queued = Find(key)) return queued->image;
    return base_->Get(key);
  }

  absl::StatusOr<Image> TryGet(const KernelKey& key) override {
    if (const auto queued = Find(key)) return queued->image;
    return base_->TryGet(key);
  }

  void Touch(const KernelKey& key) override {
    std::lock_guard lock(mutex_);
    if (ending_ || touched_.size() >= options_.touched_max) return;
    touched_.push_back(key);
    if (touched_.size() == 1) changed_.notify_all();
  }

  absl::StatusOr<SourceSpec> GetSource(const KernelKey& key) override {
    const auto queued = Find(key);
    if (queued && queued->source != nullptr) return queued->source;
    return base_->GetSource(key);
  }

  absl::Status Put(const KernelKey& key, Image image,
                   SourceSpec source) override {
    QueuedWrite write{key, std::move(image), std::move(source)};
    std::lock_guard lock(mutex_);
    Unqueue(key);
    if (ending_ || queue_.size() >= options_.queued_max ||
        write.size_bytes() > options_.queued_bytes_max - queued_bytes_) {
      ++dropped_;
      return absl::OkStatus();
    }
    queued_bytes_ += write.size_bytes();
    queue_.push_back(std::move(write));
    changed_.notify_all();
    return absl::OkStatus();
  }

  absl::Status Remove(const KernelKey& key) override {
    bool queued = false;
    {
      std::unique_lock lock(mutex_);
      queued = Unqueue(key);
      changed_.wait(lock, [this, &key] { return !Writes(key); });
    }
    const absl::Status status = base_->Remove(key);
    return queued && absl::IsNotFound(status) ? absl::OkStatus() : status;
  }

  void Drain(absl::Duration timeout) override {
    std::unique_lock lock(mutex_);
    ending_ = true;
    changed_.notify_all();
    changed_.wait_for(lock, absl::ToChronoNanoseconds(timeout),
                      [this] { return ended_; });
    dropped_ += queue_.size();
    queue_.clear();
    queued_bytes_ = 0;
    touched_.clear();
  }

  uint64_t dropped() override {
    std::lock_guard lock(mutex_);
    return dropped_;
  }

 private:
  std::optional<QueuedWrite> Find(const KernelKey& key) {
    std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(queue_.begin(), queue_.end(),
                     [&key](const auto& write) { return write.key == key; });
    if (found != queue_.end()) return *found;
    return Writes(key) ? writing_ : std::nullopt;
  }

  bool Writes(const KernelKey& key) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return writing_ && writing_->key == key;
  }

  bool Unqueue(const KernelKey& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return std::erase_if(queue_, [this, &key](const QueuedWrite& write) {
             if (write.key != key) return false;
             queued_bytes_ -= write.size_bytes();
             return true;
           }) != 0;
  }

  void Work() {
    options_.on_start();
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] {
        return ending_ || !queue_.empty() || !touched_.empty();
      });
      if (queue_.empty() && touched_.empty()) break;
      // Before a write, which may make room by what was used least recently; in
      // the end what is to be written goes first.
      if (!touched_.empty() && !(ending_ && !queue_.empty())) {
        HandOnTouches(lock);
      }
      if (!queue_.empty()) Write(lock);
    }
    ended_ = true;
    changed_.notify_all();
  }

  // Writes the first in the queue, with the lock open meanwhile.
  void Write(std::unique_lock<std::mutex>& lock)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    writing_ = std::move(queue_.front());
    queue_.pop_front();
    queued_bytes_ -= writing_->size_bytes();
    const QueuedWrite write = *writing_;
    lock.unlock();
    options_.on_written(base_->Put(write.key, write.image, write.source));
    lock.lock();
    writing_.reset();
    changed_.notify_all();
  }

  // Hands on the touches that have come when there is something to write, or
  // the moment is over. Each opens the lock, so that Drain can drop the rest.
  void HandOnTouches(std::unique_lock<std::mutex>& lock)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    changed_.wait_for(lock, absl::ToChronoNanoseconds(options_.touch_delay),
                      [this] { return ending_ || !queue_.empty(); });
    for (size_t left = touched_.size(); left > 0 && !touched_.empty(); --left) {
      const KernelKey key = touched_.front();
      touched_.pop_front();
      lock.unlock();
      base_->Touch(key);
      lock.lock();
    }
  }

  const WriteBehindOptions options_;
  const std::unique_ptr<ImageStore> base_;
  std::mutex mutex_;
  std::condition_variable changed_;  // Of anything below.
  std::deque<QueuedWrite> queue_ ABSL_GUARDED_BY(mutex_);
  uint64_t queued_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<QueuedWrite> writing_ ABSL_GUARDED_BY(mutex_);
  std::deque<KernelKey> touched_ ABSL_GUARDED_BY(mutex_);
  uint64_t dropped_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<WriteBehindImageStore> NewWriteBehindImageStore(
    std::unique_ptr<ImageStore> base, WriteBehindOptions options) {
  return std::make_unique<ThreadedImageStore>(std::move(base),
                                              std::move(options));
}

}  // namespace quern
