// Files in a map.
#include "tests/fakes/fault_file_ops.h"

#include <cerrno>
#include <utility>

#include "proto/wire/status.h"

namespace quern {
namespace {

absl::Status NoFile() { return absl::NotFoundError("no such file"); }

using File = FaultyFolder::File;

class FaultyWritableFile final : public WritableFile {
 public:
  FaultyWritableFile(FaultyFolder& folder, std::shared_ptr<File> file)
      : folder_(folder), file_(std::move(file)) {}

  ~FaultyWritableFile() override {
    std::lock_guard lock(folder_.mutex);
    file_->being_written = false;
  }

  // A full disk takes what fits, as the system's does.
  absl::Status Append(std::string_view bytes) override {
    QUERN_RETURN_IF_ERROR(folder_.Enter(true));
    std::lock_guard lock(folder_.mutex);
    while (!bytes.empty() && folder_.Fits(1)) {
      file_->bytes.push_back(bytes.front());
      bytes.remove_prefix(1);
    }
    if (bytes.empty()) return absl::OkStatus();
    return absl::ResourceExhaustedError("no space left on the device");
  }

  absl::Status Sync() override {
    QUERN_RETURN_IF_ERROR(folder_.Enter(true));
    std::lock_guard lock(folder_.mutex);
    file_->synced = file_->bytes;
    return absl::OkStatus();
  }

 private:
  FaultyFolder& folder_;
  const std::shared_ptr<File> file_;
};

class FaultFileOps final : public FileOps {
 public:
  explicit FaultFileOps(FaultyFolder& folder) : folder_(folder) {}

  absl::StatusOr<std::string> Read(const std::string& name,
                                   uint64_t size_bytes_max) override {
    QUERN_RETURN_IF_ERROR(folder_.Enter(false));
    std::lock_guard lock(folder_.mutex);
    const auto found = folder_.files.find(name);
    if (found == folder_.files.end()) return NoFile();
    if (found->second->bytes.size() > size_bytes_max) {
      return absl::InvalidArgumentError("too long");
    }
    return found->second->bytes;
  }

  // In memory is all that was set so.
  absl::StatusOr<std::string> ReadCached(const std::string& name,
                                         uint64_t size_bytes_max) override {
    if (!folder_.cached) return absl::UnavailableError("not in memory");
    return Read(name, size_bytes_max);
  }

  absl::StatusOr<std::unique_ptr<WritableFile>> Create(
      const std::string& name) override {
    QUERN_RETURN_IF_ERROR(folder_.Enter(true));
    std::lock_guard lock(folder_.mutex);
    const auto [entry, made] =
        folder_.files.emplace(name, std::make_shared<File>());
    if (!made) return absl::AlreadyExistsError(name);
    entry->second->being_written = true;
    return std::make_unique<FaultyWritableFile>(folder_, entry->second);
  }

  absl::Status RemoveAbandoned(const std::string& name) override {
    QUERN_RETURN_IF_ERROR(folder_.Enter(true));
    std::lock_guard lock(folder_.mutex);
    const auto found = folder_.files.find(name);
    if (found == folder_.files.end()) return NoFile();
    if (found->second->being_written) return absl::UnavailableError("locked");
    folder_.files.erase(found);
    return absl::OkStatus();
  }

  absl::Status Rename(const std::string& from, const std::string& to) override {
    QUERN_RETURN_IF_ERROR(folder_.Enter(true));
    std::lock_guard lock(folder_.mutex);
    const auto found = folder_.files.find(from);
    if (found == folder_.files.end()) return NoFile();
    folder_.old_names[from] = found->second;
    folder_.files[to] = found->second;
    folder_.files.erase(from);
    return absl::OkStatus();
  }

  absl::Status Remove(const std::string& name) override {
    QUERN_RETURN_IF_ERROR(folder_.Enter(true));
    std::lock_guard lock(folder_.mutex);
    return folder_.files.erase(name) == 1 ? absl::OkStatus() : NoFile();
  }

  absl::Status SetModified(const std::string& name, absl::Time time) override {
    QUERN_RETURN_IF_ERROR(folder_.Enter(true));
    std::lock_guard lock(folder_.mutex);
    const auto found = folder_.files.find(name);
    if (found == folder_.files.end()) return NoFile();
    found->second->modified = time;
    return absl::OkStatus();
  }

  absl::StatusOr<FileInfo> Inspect(const std::string& name) override {
    QUERN_RETURN_IF_ERROR(folder_.Enter(false));
    std::lock_guard lock(folder_.mutex);
    const auto found = folder_.files.find(name);
    if (found == folder_.files.end()) return NoFile();
    return InfoOf(name, *found->second);
  }

  absl::StatusOr<std::vector<FileInfo>> List() override {
    QUERN_RETURN_IF_ERROR(folder_.Enter(false));
    std::lock_guard lock(folder_.mutex);
    std::vector<FileInfo> result;
    for (const auto& [name, file] : folder_.files) {
      result.push_back(InfoOf(name, *file));
    }
    return result;
  }

 private:
  static FileInfo InfoOf(const std::string& name, const File& file) {
    return {.name = name,
            .size_bytes = file.bytes.size(),
            .modified = file.modified};
  }

  FaultyFolder& folder_;
};

}  // namespace

std::unique_ptr<FileOps> FaultyFolder::Open() {
  return std::make_unique<FaultFileOps>(*this);
}

void FaultyFolder::FailCall(uint64_t n, absl::Status status) {
  std::lock_guard lock(mutex);
  failures_[calls_ + n] = std::move(status);
}

uint64_t FaultyFolder::calls() {
  std::lock_guard lock(mutex);
  return calls_;
}

void FaultyFolder::SetCapacity(std::optional<uint64_t> bytes) {
  std::lock_guard lock(mutex);
  capacity_ = bytes;
}

void FaultyFolder::SetReadOnly(bool read_only) {
  std::lock_guard lock(mutex);
  read_only_ = read_only;
}

void FaultyFolder::Hold() {
  std::lock_guard lock(mutex);
  held_ = true;
}

void FaultyFolder::Release() {
  std::lock_guard lock(mutex);
  held_ = false;
  released_.notify_all();
}

void FaultyFolder::Crash(bool names_survive) {
  std::lock_guard lock(mutex);
  if (!names_survive) {
    for (const auto& [name, file] : old_names) {
      std::erase_if(
          files, [&file](const auto& entry) { return entry.second == file; });
      files[name] = file;
    }
  }
  old_names.clear();
  for (const auto& [name, file] : files) {
    file->bytes = file->synced;
    file->being_written = false;
  }
}

std::map<std::string, std::string> FaultyFolder::Contents() {
  std::lock_guard lock(mutex);
  std::map<std::string, std::string> result;
  for (const auto& [name, file] : files) result[name] = file->bytes;
  return result;
}

void FaultyFolder::Set(const std::string& name, const std::string& bytes) {
  std::lock_guard lock(mutex);
  std::shared_ptr<File>& file = files[name];
  if (file == nullptr) file = std::make_shared<File>();
  file->bytes = file->synced = bytes;
}

std::optional<absl::Time> FaultyFolder::Modified(const std::string& name) {
  std::lock_guard lock(mutex);
  const auto found = files.find(name);
  if (found == files.end()) return std::nullopt;
  return found->second->modified;
}

absl::Status FaultyFolder::Enter(bool changes) {
  std::unique_lock lock(mutex);
  ++calls_;
  const uint64_t call = calls_;
  released_.wait(lock, [this] { return !held_; });
  if (const auto failure = failures_.find(call); failure != failures_.end()) {
    return failure->second;
  }
  if (changes && read_only_) return ErrnoStatus(EROFS, "write");
  return absl::OkStatus();
}

bool FaultyFolder::Fits(uint64_t more) {
  if (!capacity_) return true;
  uint64_t used = 0;
  for (const auto& [name, file] : files) used += file->bytes.size();
  return used + more <= *capacity_;
}

}  // namespace quern
