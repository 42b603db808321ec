// Kernels in files.
#include "cache/disk_image_store.h"

#include <zstd.h>

#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "cache/disk_entry.h"
#include "cache/disk_format.h"
#include "cache/disk_index.h"
#include "proto/wire/image_format.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

constexpr uint64_t kBlockSize = 4096;
constexpr char kUnfinished[] = "tmp-";

// The longest entry that is checked while somebody's thread is not to wait:
// some 0.15 ms.
constexpr uint64_t kTrySizeMax = uint64_t{256} << 10;

// Of the bound: so much may be written before the folder is listed anew.
constexpr uint64_t kScanFraction = 16;

uint64_t InBlocks(uint64_t size_bytes) {
  return (size_bytes + kBlockSize - 1) / kBlockSize * kBlockSize;
}

class FolderImageStore final : public DiskImageStore {
 public:
  FolderImageStore(std::unique_ptr<FileOps> files,
                   const DiskImageStoreOptions& options,
                   std::function<absl::Time()> now)
      : options_(options),
        entry_size_bytes_max_(QUERN_DISK_HEADER_SIZE + QUERN_IMAGE_SIZE_MAX +
                              ZSTD_compressBound(options.spec_size_bytes_max)),
        now_(std::move(now)),
        files_(std::move(files)) {}

  absl::StatusOr<Image> Get(const KernelKey& key) override {
    QUERN_ASSIGN_OR_RETURN(std::string bytes, Load(key));
    const absl::StatusOr<DiskEntry> entry = CheckDiskEntry(bytes, key);
    if (!entry.ok()) return Drop(key);
    Enter(key, bytes.size());
    Touch(key);
    return ImageIn(std::move(bytes), entry->image.size());
  }

  absl::StatusOr<Image> TryGet(const KernelKey& key) override {
    absl::StatusOr<std::string> bytes =
        files_->ReadCached(key.ToHex(), kTrySizeMax);
    if (absl::IsNotFound(bytes.status())) return bytes.status();
    const absl::Status ask = absl::UnavailableError("ask the disk");
    if (!bytes.ok()) return ask;
    const absl::StatusOr<DiskEntry> entry = CheckDiskEntry(*bytes, key);
    // Get removes what is damaged, which may take time.
    if (!entry.ok()) return ask;
    return ImageIn(*std::move(bytes), entry->image.size());
  }

  void Touch(const KernelKey& key) override {
    absl::Time stamp;
    {
      std::lock_guard lock(mutex_);
      stamp = index_.NextStamp(now_());
      index_.Enter(key, stamp, std::nullopt);
    }
    // On a disk that cannot be written the order is that of this process.
    files_->SetModified(key.ToHex(), stamp).IgnoreError();
  }

  absl::StatusOr<SourceSpec> GetSource(const KernelKey& key) override {
    QUERN_ASSIGN_OR_RETURN(const std::string bytes, Load(key));
    const absl::StatusOr<DiskEntry> entry = CheckDiskEntry(bytes, key);
    if (!entry.ok()) return Drop(key);
    absl::StatusOr<CompileSpec> spec =
        DecodeDiskSource(*entry, options_.spec_size_bytes_max);
    if (absl::IsDataLoss(spec.status())) return Drop(key);
    if (!spec.ok()) return absl::NotFoundError(spec.status().message());
    return std::make_shared<const CompileSpec>(*std::move(spec));
  }

  absl::Status Put(const KernelKey& key, Image image,
                   SourceSpec source) override {
    const bool with_source =
        source != nullptr &&
        CanonicalBytes(*source).size() <= options_.spec_size_bytes_max;
    const std::string bytes =
        EncodeDiskEntry(key, *image, with_source ? source.get() : nullptr);
    const uint64_t cost = InBlocks(bytes.size());
    if (cost > options_.size_bytes_max) {
      return absl::ResourceExhaustedError(
          "the kernel is larger than the disk store");
    }
    std::lock_guard lock(write_mutex_);
    if (!scanned_ || written_ > options_.size_bytes_max / kScanFraction) {
      QUERN_RETURN_IF_ERROR(ScanFolder());
    }
    QUERN_RETURN_IF_ERROR(MakeRoom(key, cost));
    QUERN_RETURN_IF_ERROR(Write(key, bytes));
    written_ += cost;
    Enter(key, bytes.size());
    Touch(key);
    return absl::OkStatus();
  }

  absl::Status Remove(const KernelKey& key) override {
    const absl::Status status = files_->Remove(key.ToHex());
    if (status.ok() || absl::IsNotFound(status)) Forget(key);
    return status;
  }

  absl::Status Scan() override {
    std::lock_guard lock(write_mutex_);
    return ScanFolder();
  }

  DiskUsage usage() override {
    std::lock_guard lock(mutex_);
    return {.entries = index_.entries(),
            .size_bytes = index_.size_bytes(),
            .bad_removed = bad_removed_,
            .evictions = evictions_};
  }

 private:
  // The unchecked bytes of an entry. Damage that the system itself reports is
  // dealt with here.
  absl::StatusOr<std::string> Load(const KernelKey& key) {
    absl::StatusOr<std::string> bytes =
        files_->Read(key.ToHex(), entry_size_bytes_max_);
    if (bytes.ok()) return bytes;
    const absl::Status& status = bytes.status();
    if (absl::IsNotFound(status)) {
      Forget(key);
      return absl::NotFoundError("no such kernel on disk");
    }
    if (absl::IsInvalidArgument(status) || absl::IsDataLoss(status)) {
      return Drop(key);
    }
    return absl::UnavailableError(status.message());
  }

  // Removes a damaged entry. The answer of whoever asked for it.
  absl::Status Drop(const KernelKey& key) {
    // Another process may have removed it first; that it cannot be removed
    // costs the same check at the next read.
    files_->Remove(key.ToHex()).IgnoreError();
    std::lock_guard lock(mutex_);
    index_.Forget(key);
    ++bad_removed_;
    return absl::NotFoundError("the kernel on disk was damaged");
  }

  void Forget(const KernelKey& key) {
    std::lock_guard lock(mutex_);
    index_.Forget(key);
  }

  // Makes the image out of the entry that it lies in.
  static Image ImageIn(std::string bytes, uint64_t size_bytes) {
    // Moved within its memory: fresh memory would cost more than the move.
    bytes.resize(QUERN_DISK_HEADER_SIZE + size_bytes);
    bytes.erase(0, QUERN_DISK_HEADER_SIZE);
    return std::make_shared<const std::string>(std::move(bytes));
  }

  // What is found may be news: others write to the folder too.
  void Enter(const KernelKey& key, uint64_t size_bytes) {
    std::lock_guard lock(mutex_);
    index_.Enter(key, index_.NextStamp(now_()), InBlocks(size_bytes));
  }

  absl::Status ScanFolder() ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_) {
    QUERN_ASSIGN_OR_RETURN(const std::vector<FileInfo> files, files_->List());
    DiskIndex found;
    for (const FileInfo& file : files) {
      const absl::StatusOr<KernelKey> key = KernelKey::FromHex(file.name);
      if (key.ok() && key->ToHex() == file.name) {
        found.Enter(*key, file.modified, InBlocks(file.size_bytes));
      } else if (absl::StartsWith(file.name, kUnfinished)) {
        // Of a living writer, or gone by now: either way not for us.
        files_->RemoveAbandoned(file.name).IgnoreError();
      }
    }
    std::lock_guard lock(mutex_);
    // Stamps that were given while the folder was listed stay given.
    found.NextStamp(index_.NextStamp(absl::InfinitePast()));
    index_ = std::move(found);
    scanned_ = true;
    written_ = 0;
    return absl::OkStatus();
  }

  // Removes entries until one of `size_bytes` fits in place of that of `key`.
  absl::Status MakeRoom(const KernelKey& key, uint64_t size_bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_) {
    while (true) {
      std::optional<DiskIndex::Use> oldest;
      {
        std::lock_guard lock(mutex_);
        const uint64_t others = index_.size_bytes() - index_.SizeOf(key);
        if (others + size_bytes <= options_.size_bytes_max) {
          return absl::OkStatus();
        }
        oldest = index_.LeastRecentlyUsed();
      }
      QUERN_RETURN_IF_ERROR(EvictUnlessUsed(*oldest));
    }
  }

  // Another process may have used or removed the entry since it was listed.
  absl::Status EvictUnlessUsed(const DiskIndex::Use& oldest) {
    const std::string name = oldest.key.ToHex();
    const absl::StatusOr<FileInfo> file = files_->Inspect(name);
    if (file.ok() && file->modified > oldest.stamp) {
      std::lock_guard lock(mutex_);
      index_.Enter(oldest.key, file->modified, std::nullopt);
      return absl::OkStatus();
    }
    const absl::Status status = files_->Remove(name);
    if (!status.ok() && !absl::IsNotFound(status)) return status;
    std::lock_guard lock(mutex_);
    index_.Forget(oldest.key);
    if (status.ok()) ++evictions_;
    return absl::OkStatus();
  }

  absl::Status Write(const KernelKey& key, const std::string& bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_) {
    const std::string name = absl::StrFormat("%s%016x-%d", kUnfinished,
                                             options_.writer, ++last_file_);
    QUERN_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                           files_->Create(name));
    absl::Status status = file->Append(bytes);
    if (status.ok()) status = file->Sync();
    // The folder is not synced: a name that a loss of power takes away is a
    // miss, and the bytes under a name that stays are there already.
    if (status.ok()) status = files_->Rename(name, key.ToHex());
    if (!status.ok()) files_->Remove(name).IgnoreError();
    return status;
  }

  const DiskImageStoreOptions options_;
  const uint64_t entry_size_bytes_max_;
  const std::function<absl::Time()> now_;
  const std::unique_ptr<FileOps> files_;
  // Held while the disk is written, so that reads do not wait for it.
  std::mutex write_mutex_;
  bool scanned_ ABSL_GUARDED_BY(write_mutex_) = false;
  uint64_t written_ ABSL_GUARDED_BY(write_mutex_) = 0;  // Since the scan.
  uint64_t last_file_ ABSL_GUARDED_BY(write_mutex_) = 0;
  // Never held during a call of `files_`. Taken after `write_mutex_`.
  std::mutex mutex_;
  DiskIndex index_ ABSL_GUARDED_BY(mutex_);
  uint64_t bad_removed_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t evictions_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace

std::unique_ptr<DiskImageStore> NewDiskImageStore(
    std::unique_ptr<FileOps> files, const DiskImageStoreOptions& options,
    std::function<absl::Time()> now) {
  return std::make_unique<FolderImageStore>(std::move(files), options,
                                            std::move(now));
}

}  // namespace quern
