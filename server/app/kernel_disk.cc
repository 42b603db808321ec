// Composing the disk.
#include "server/app/kernel_disk.h"

#include <mutex>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "cache/counting_image_store.h"
#include "cache/disk_image_store.h"
#include "cache/posix_file_ops.h"
#include "cache/write_behind_image_store.h"
#include "server/core/patient_threads.h"

namespace quern {
namespace {

// A spec is its source and little else.
constexpr uint64_t kSpecOverheadBytes = uint64_t{1} << 20;

// Says in log and statistics what is wrong now: a disk that fails, fails with
// every write, and one line is enough.
class Complaint final {
 public:
  explicit Complaint(Logger& logger) : logger_(logger) {}

  // OK: nothing is wrong any more.
  void Set(const absl::Status& status) {
    std::lock_guard lock(mutex_);
    std::string text(status.message());
    if (text == text_) return;
    text_ = std::move(text);
    if (text_.empty()) {
      logger_.Log(LogLevel::kInfo, "the disk works again");
    } else {
      logger_.Log(LogLevel::kWarning,
                  absl::StrCat("kernels are not kept on disk: ", text_));
    }
  }

  std::string Get() {
    std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  Logger& logger_;
  std::mutex mutex_;
  std::string text_ ABSL_GUARDED_BY(mutex_);
};

class NoKernelDisk final : public KernelDisk {
 public:
  // `problem`: why there is none, if one was asked for.
  explicit NoKernelDisk(std::string problem) : problem_(std::move(problem)) {}

  KernelArchive& archive() override { return *archive_; }
  void Drain(absl::Duration) override {}
  void Stop() override {}

  void AddStats(v1::GetStatsResponse& response) override {
    if (!problem_.empty()) response.mutable_disk()->set_problem(problem_);
  }

 private:
  const std::string problem_;
  const std::unique_ptr<KernelArchive> archive_ = NewEmptyArchive();
};

class FolderKernelDisk final : public KernelDisk {
 public:
  FolderKernelDisk(const Config& config, std::unique_ptr<FileOps> files,
                   uint64_t writer, Clock& clock, Logger& logger)
      : path_(config.disk_path), complaint_(logger) {
    auto folder =
        NewDiskImageStore(std::move(files),
                          {.size_bytes_max = config.disk_size_bytes_max,
                           .spec_size_bytes_max = config.source_size_bytes_max +
                                                  kSpecOverheadBytes,
                           .writer = writer},
                          [&clock] { return clock.Now(); });
    folder_ = folder.get();
    WriteBehindOptions options;
    options.queued_max = config.disk_queued_writes_max;
    options.queued_bytes_max = config.disk_queued_write_bytes_max;
    options.on_start = [this] { complaint_.Set(folder_->Scan()); };
    options.on_written = [this](const absl::Status& status) {
      complaint_.Set(status);
    };
    store_ = NewWriteBehindImageStore(
        NewCountingImageStore(std::move(folder), counts_), std::move(options));
    threads_ = NewPatientThreads({.waiting_max = config.disk_queued_reads_max,
                                  .patience = config.disk_read_timeout});
    archive_ = NewStoreArchive(*store_, *threads_);
  }

  KernelArchive& archive() override { return *archive_; }
  void Drain(absl::Duration timeout) override { store_->Drain(timeout); }
  void Stop() override { threads_->Stop(); }

  void AddStats(v1::GetStatsResponse& response) override {
    v1::DiskStats& disk = *response.mutable_disk();
    const DiskUsage usage = folder_->usage();
    disk.set_path(path_);
    disk.set_problem(complaint_.Get());
    disk.set_hits(counts_.hits);
    disk.set_misses(counts_.misses);
    disk.set_late_reads(threads_->late());
    disk.set_read_failures(counts_.read_errors);
    disk.set_bad_entries_removed(usage.bad_removed);
    disk.set_writes(counts_.puts);
    disk.set_write_failures(counts_.put_errors);
    disk.set_dropped_writes(store_->dropped());
    disk.set_evictions(usage.evictions);
    disk.set_entries(usage.entries);
    disk.set_size_bytes(usage.size_bytes);
  }

 private:
  const std::string path_;
  Complaint complaint_;
  ImageStoreCounts counts_;
  DiskImageStore* folder_ = nullptr;  // At the bottom of `store_`.
  std::unique_ptr<WriteBehindImageStore> store_;
  std::unique_ptr<PatientThreads> threads_;
  std::unique_ptr<KernelArchive> archive_;
};

}  // namespace

std::unique_ptr<KernelDisk> OpenKernelDisk(const Config& config,
                                           uint64_t writer, Clock& clock,
                                           Logger& logger) {
  if (config.disk_path.empty()) return std::make_unique<NoKernelDisk>("");
  absl::StatusOr<std::unique_ptr<FileOps>> files = OpenFolder(config.disk_path);
  if (!files.ok()) {
    std::string problem(files.status().message());
    logger.Log(LogLevel::kWarning,
               absl::StrCat("kernels are not kept on disk: ", problem));
    return std::make_unique<NoKernelDisk>(std::move(problem));
  }
  return std::make_unique<FolderKernelDisk>(config, *std::move(files), writer,
                                            clock, logger);
}

}  // namespace quern
