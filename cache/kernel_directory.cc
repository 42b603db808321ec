// The kernel directory in a memfd.
#include "cache/kernel_directory.h"

#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "proto/wire/directory_layout.h"
#include "proto/wire/shared_region.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

constexpr uint32_t kBucketWords = QUERN_DIRECTORY_BUCKET_WORDS;

class MemfdKernelDirectory final : public KernelDirectory {
 public:
  MemfdKernelDirectory(UniqueFd fd, SharedRegion region, uint32_t bucket_count,
                       uint64_t incarnation)
      : fd_(std::move(fd)),
        region_(std::move(region)),
        bucket_count_(bucket_count),
        incarnation_(incarnation),
        ages_(uint64_t{bucket_count} * kBucketWords) {
    quern_directory_header* header = Header();
    header->magic = QUERN_DIRECTORY_MAGIC;
    header->version = QUERN_DIRECTORY_VERSION;
    header->bucket_count = bucket_count;
    header->incarnation = incarnation;
  }

  absl::Status SetCompiler(const BuildId& build_id,
                           const TargetSpec& host) override {
    const std::string target = CanonicalBytes(host);
    if (target.size() > QUERN_DIRECTORY_TARGET_SIZE_MAX) {
      return absl::InvalidArgumentError(
          "the host's target does not fit the directory's header");
    }
    std::lock_guard lock(mutex_);
    quern_directory_header* header = Header();
    std::memcpy(header->build_id, build_id.data(), build_id.size());
    std::memcpy(header->target, target.data(), target.size());
    header->target_size_bytes = static_cast<uint32_t>(target.size());
    // Pairs with the acquire load of `ready` in the directory's readers.
    std::atomic_ref(header->ready).store(1, std::memory_order_release);
    return absl::OkStatus();
  }

  void Publish(const KernelKey& key, ImagePlace place) override {
    std::lock_guard lock(mutex_);
    const uint64_t index = SlotFor(key);
    ages_[index] = ++age_;
    Store(index, MakeWord(key, place));
  }

  void Withdraw(const KernelKey& key, ImagePlace place) override {
    const uint64_t word = MakeWord(key, place);
    const uint64_t first = FirstWordOf(key, bucket_count_);
    std::lock_guard lock(mutex_);
    for (uint64_t i = first; i < first + kBucketWords; ++i) {
      if (Words()[i] == word) Store(i, 0);
    }
  }

  void WithdrawSlab(uint32_t slab) override {
    std::lock_guard lock(mutex_);
    for (uint64_t i = 0; i < ages_.size(); ++i) {
      const uint64_t word = Words()[i];
      if (word != 0 && PlaceOf(word).slab == slab) Store(i, 0);
    }
  }

  absl::StatusOr<SlabDescriptor> Open() override {
    const std::string path = absl::StrCat("/proc/self/fd/", fd_.get());
    UniqueFd reader(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!reader.valid()) return ErrnoStatus(errno, "open the directory");
    return SlabDescriptor{.fd = std::move(reader),
                          .size_bytes = region_.size_bytes()};
  }

  uint64_t incarnation() const override { return incarnation_; }

 private:
  quern_directory_header* Header() {
    return reinterpret_cast<quern_directory_header*>(region_.data());
  }

  uint64_t* Words() {
    return reinterpret_cast<uint64_t*>(region_.data() +
                                       QUERN_DIRECTORY_HEADER_SIZE);
  }

  // Pairs with the acquire loads of words in the directory's readers.
  void Store(uint64_t index, uint64_t word)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::atomic_ref(Words()[index]).store(word, std::memory_order_release);
  }

  // Where `key` goes: over a word that may be its own, else into an empty
  // word, else over the oldest.
  uint64_t SlotFor(const KernelKey& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const uint64_t first = FirstWordOf(key, bucket_count_);
    uint64_t empty = first + kBucketWords;
    uint64_t oldest = first;
    for (uint64_t i = first; i < first + kBucketWords; ++i) {
      if (Matches(Words()[i], key)) return i;
      if (Words()[i] == 0) empty = std::min(empty, i);
      if (ages_[i] < ages_[oldest]) oldest = i;
    }
    return empty < first + kBucketWords ? empty : oldest;
  }

  const UniqueFd fd_;
  const SharedRegion region_;
  const uint32_t bucket_count_;
  const uint64_t incarnation_;
  std::mutex mutex_;
  // When each word was last published; readers have no use for it.
  std::vector<uint64_t> ages_ ABSL_GUARDED_BY(mutex_);
  uint64_t age_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<KernelDirectory>> CreateKernelDirectory(
    uint32_t entries_max, uint64_t incarnation) {
  const uint32_t bucket_count =
      std::bit_ceil((entries_max + kBucketWords - 1) / kBucketWords);
  const uint64_t size_bytes =
      QUERN_DIRECTORY_HEADER_SIZE +
      uint64_t{bucket_count} * kBucketWords * sizeof(uint64_t);
  QUERN_ASSIGN_OR_RETURN(UniqueFd fd,
                         CreateSealedMemory("quern-directory", size_bytes));
  QUERN_ASSIGN_OR_RETURN(
      SharedRegion region,
      SharedRegion::Map(fd.get(), size_bytes, Access::kReadWrite));
  QUERN_RETURN_IF_ERROR(SealFutureWrites(fd.get()));
  return std::make_unique<MemfdKernelDirectory>(
      std::move(fd), std::move(region), bucket_count, incarnation);
}

}  // namespace quern
