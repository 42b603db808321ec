// Reproducers as files.
#include "server/core/reproducer_store.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "proto/wire/status.h"
#include "server/core/canonical_spec.h"

namespace quern {
namespace {

constexpr absl::string_view kBeingWritten = ".part";

struct FormatStyle {
  absl::string_view extension;
  absl::string_view comment;
};

FormatStyle StyleOf(SourceFormat format) {
  switch (format) {
    case SourceFormat::kTritonIr:
      return {.extension = ".ttir", .comment = "// "};
    case SourceFormat::kMlir:
      return {.extension = ".mlir", .comment = "// "};
    case SourceFormat::kLlvmIr:
      return {.extension = ".ll", .comment = "; "};
  }
  return {.extension = ".txt", .comment = "# "};
}

bool IsReproducer(const std::string& name) {
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(name, absl::MaxSplits('.', 1));
  return KernelKey::FromHex(parts.first).ok() &&
         !absl::EndsWith(name, kBeingWritten);
}

// What is not printable would let the comment end, or reach a terminal.
std::string OneLine(absl::string_view text) {
  std::string line(text.substr(0, text.find('\n')));
  std::replace_if(
      line.begin(), line.end(),
      [](unsigned char byte) { return byte < ' ' || byte == 0x7f; }, '?');
  return line;
}

std::string TextOf(const CompileSpec& spec, const absl::Status& status) {
  const absl::string_view comment = StyleOf(spec.format).comment;
  std::string text = absl::StrCat(
      comment, "This source ended the compiler; its lines begin below.\n",
      comment, "status: ", absl::StatusCodeToString(status.code()), ": ",
      OneLine(status.message()), "\n", comment,
      "target: ", TargetText(spec.target), "\n", comment,
      "entry: ", OneLine(spec.entry), "\n");
  for (const ArgumentSpec& argument : spec.signature) {
    absl::StrAppend(&text, comment, "argument: ", OneLine(argument.type), "\n");
  }
  return absl::StrCat(text, spec.source);
}

class FileReproducerStore final : public ReproducerStore {
 public:
  FileReproducerStore(const ReproducerLimits& limits,
                      std::unique_ptr<FileOps> files)
      : limits_(limits), files_(std::move(files)) {}

  bool Save(const KernelKey& key, const CompileSpec& spec,
            const absl::Status& status) override {
    const std::string text = TextOf(spec, status);
    if (text.size() > limits_.file_size_bytes_max) return false;
    const std::string name =
        absl::StrCat(key.ToHex(), StyleOf(spec.format).extension);
    const std::lock_guard lock(mutex_);
    if (files_->Inspect(name).ok() || !MakeRoom().ok()) return false;
    return Write(name, text).ok();
  }

 private:
  absl::Status Write(const std::string& name, const std::string& text) {
    const std::string part = absl::StrCat(name, kBeingWritten);
    files_->RemoveAbandoned(part).IgnoreError();
    QUERN_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file,
                           files_->Create(part));
    const absl::Status written = file->Append(text);
    if (written.ok()) return files_->Rename(part, name);
    files_->Remove(part).IgnoreError();
    return written;
  }

  // Removes the oldest until there is room for one more.
  absl::Status MakeRoom() {
    QUERN_ASSIGN_OR_RETURN(std::vector<FileInfo> found, files_->List());
    std::erase_if(found, [](const FileInfo& file) {
      return !IsReproducer(file.name);
    });
    std::sort(found.begin(), found.end(),
              [](const FileInfo& a, const FileInfo& b) {
                return a.modified < b.modified;
              });
    for (size_t i = 0; i + limits_.files_max <= found.size(); ++i) {
      QUERN_RETURN_IF_ERROR(files_->Remove(found[i].name));
    }
    return absl::OkStatus();
  }

  const ReproducerLimits limits_;
  const std::unique_ptr<FileOps> files_;
  std::mutex mutex_;  // One file is written at a time.
};

class NoReproducerStore final : public ReproducerStore {
 public:
  bool Save(const KernelKey&, const CompileSpec&,
            const absl::Status&) override {
    return false;
  }
};

}  // namespace

std::unique_ptr<ReproducerStore> NewReproducerStore(
    const ReproducerLimits& limits, std::unique_ptr<FileOps> files) {
  return std::make_unique<FileReproducerStore>(limits, std::move(files));
}

std::unique_ptr<ReproducerStore> NewNoReproducerStore() {
  return std::make_unique<NoReproducerStore>();
}

}  // namespace quern
