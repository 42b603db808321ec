// Code slabs over memfds.
#include "cache/code_slabs.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "proto/wire/image_format.h"
#include "proto/wire/shared_region.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

constexpr uint64_t kPageSize = QUERN_IMAGE_ALIGNMENT;
constexpr uint64_t kSlabSizeMax = (uint64_t{kMaxPage} + 1) * kPageSize;

uint64_t RoundUp(uint64_t size_bytes) {
  return (size_bytes + kPageSize - 1) / kPageSize * kPageSize;
}

// Opens the memory of `fd` once more, for reading alone. The new descriptor
// has an open file of its own, by which NobodyElseHas can tell its users.
absl::StatusOr<UniqueFd> OpenForReading(int fd) {
  const std::string path = absl::StrCat("/proc/self/fd/", fd);
  UniqueFd reader(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!reader.valid()) return ErrnoStatus(errno, "open a slab for reading");
  return reader;
}

// Whether no other process has the memory of `fd` open or mapped. The kernel
// grants a write lease on a file only if nobody else has it open, and a
// mapping keeps its file open. Any doubt counts as "somebody has".
bool NobodyElseHas(int fd) {
  absl::StatusOr<UniqueFd> probe = OpenForReading(fd);
  if (!probe.ok()) return false;
  return ::fcntl(probe->get(), F_SETLEASE, F_WRLCK) == 0;
}

struct Slab {
  UniqueFd fd;
  SharedRegion writer;
  uint64_t size_bytes = 0;
  uint64_t used_bytes = 0;
};

// A slab that is no longer live: its descriptor is kept to ask who has it.
struct RetiredSlab {
  UniqueFd fd;
  uint64_t size_bytes = 0;
};

absl::StatusOr<Slab> CreateSlab(uint64_t size_bytes) {
  Slab slab;
  slab.size_bytes = size_bytes;
  QUERN_ASSIGN_OR_RETURN(slab.fd, CreateSealedMemory("quern-code", size_bytes));
  QUERN_ASSIGN_OR_RETURN(
      slab.writer,
      SharedRegion::Map(slab.fd.get(), size_bytes, Access::kReadWrite));
  QUERN_RETURN_IF_ERROR(SealFutureWrites(slab.fd.get()));
  return slab;
}

class MemfdCodeSlabs final : public CodeSlabs {
 public:
  explicit MemfdCodeSlabs(const CodeSlabsOptions& options)
      : options_(options) {}

  absl::StatusOr<ImagePlace> Append(std::string_view image) override {
    if (image.empty() || image.size() > kSlabSizeMax) {
      return absl::InvalidArgumentError(
          "an image is empty or larger than a slab can be");
    }
    std::lock_guard lock(mutex_);
    QUERN_ASSIGN_OR_RETURN(const uint32_t id, SlabFor(image.size()));
    Slab& slab = live_.at(id);
    const ImagePlace place{
        .slab = id, .page = static_cast<uint32_t>(slab.used_bytes / kPageSize)};
    std::memcpy(slab.writer.data() + slab.used_bytes, image.data(),
                image.size());
    slab.used_bytes += RoundUp(image.size());
    return place;
  }

  bool NearLimit(uint64_t size_bytes) override {
    std::lock_guard lock(mutex_);
    if (FitsCurrent(size_bytes)) return false;
    ReleaseRetired();
    const uint64_t reserve = options_.total_size_bytes_max / 8;
    return total_size_bytes_ + NewSlabSize(size_bytes) + reserve >
           options_.total_size_bytes_max;
  }

  absl::StatusOr<SlabDescriptor> Open(uint32_t slab) override {
    std::lock_guard lock(mutex_);
    const auto found = live_.find(slab);
    if (found == live_.end()) return NoSuchSlab();
    SlabDescriptor descriptor;
    QUERN_ASSIGN_OR_RETURN(descriptor.fd,
                           OpenForReading(found->second.fd.get()));
    descriptor.size_bytes = found->second.size_bytes;
    return descriptor;
  }

  absl::StatusOr<std::string> Read(ImagePlace place,
                                   uint64_t size_bytes) override {
    std::lock_guard lock(mutex_);
    const auto found = live_.find(place.slab);
    if (found == live_.end()) return NoSuchSlab();
    const Slab& slab = found->second;
    const uint64_t begin = uint64_t{place.page} * kPageSize;
    if (begin > slab.used_bytes || size_bytes > slab.used_bytes - begin) {
      return NoSuchSlab();
    }
    return std::string(
        reinterpret_cast<const char*>(slab.writer.data()) + begin, size_bytes);
  }

  std::optional<uint32_t> Oldest() override {
    std::lock_guard lock(mutex_);
    if (live_.empty()) return std::nullopt;
    return live_.begin()->first;
  }

  void Retire(uint32_t slab) override {
    std::lock_guard lock(mutex_);
    const auto found = live_.find(slab);
    if (found == live_.end()) return;
    retired_.push_back({.fd = std::move(found->second.fd),
                        .size_bytes = found->second.size_bytes});
    live_.erase(found);
    if (current_ == slab) current_ = 0;
    ReleaseRetired();
  }

  CodeSlabsStats GetStats() override {
    std::lock_guard lock(mutex_);
    ReleaseRetired();
    return {.live = static_cast<uint32_t>(live_.size()),
            .retired = static_cast<uint32_t>(retired_.size()),
            .size_bytes = total_size_bytes_};
  }

 private:
  static absl::Status NoSuchSlab() {
    return absl::NotFoundError("no such slab");
  }

  uint64_t NewSlabSize(uint64_t size_bytes) const {
    return std::max(RoundUp(size_bytes), options_.slab_size_bytes);
  }

  bool FitsCurrent(uint64_t size_bytes) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (current_ == 0) return false;
    const Slab& slab = live_.at(current_);
    return slab.size_bytes - slab.used_bytes >= size_bytes;
  }

  // The slab that takes an image of `size_bytes`: the current one, or a new
  // one.
  absl::StatusOr<uint32_t> SlabFor(uint64_t size_bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (FitsCurrent(size_bytes)) return current_;
    if (last_id_ == kMaxSlabId) {
      return absl::ResourceExhaustedError(
          "slab ids have run out; restart the daemon");
    }
    ReleaseRetired();
    const uint64_t slab_size = NewSlabSize(size_bytes);
    if (slab_size > options_.total_size_bytes_max - total_size_bytes_) {
      return absl::ResourceExhaustedError("the code memory is full");
    }
    QUERN_ASSIGN_OR_RETURN(Slab slab, CreateSlab(slab_size));
    const uint32_t id = ++last_id_;
    live_.emplace(id, std::move(slab));
    total_size_bytes_ += slab_size;
    // A slab made for one large image has no room left worth preferring.
    if (size_bytes <= options_.slab_size_bytes) current_ = id;
    return id;
  }

  // Forgets the retired slabs that nobody has any more.
  void ReleaseRetired() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::erase_if(retired_, [this](const RetiredSlab& slab) {
      if (!NobodyElseHas(slab.fd.get())) return false;
      total_size_bytes_ -= slab.size_bytes;
      return true;
    });
  }

  const CodeSlabsOptions options_;
  std::mutex mutex_;
  // Ids rise, so the first is the oldest.
  std::map<uint32_t, Slab> live_ ABSL_GUARDED_BY(mutex_);
  std::vector<RetiredSlab> retired_ ABSL_GUARDED_BY(mutex_);
  uint64_t total_size_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint32_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  uint32_t current_ ABSL_GUARDED_BY(mutex_) = 0;  // 0: none has room.
};

}  // namespace

std::unique_ptr<CodeSlabs> NewCodeSlabs(const CodeSlabsOptions& options) {
  return std::make_unique<MemfdCodeSlabs>(options);
}

}  // namespace quern
