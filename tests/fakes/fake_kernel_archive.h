// An archive in memory that answers when a test says so, or at once.
#ifndef QUERN_TESTS_FAKES_FAKE_KERNEL_ARCHIVE_H_
#define QUERN_TESTS_FAKES_FAKE_KERNEL_ARCHIVE_H_

#include <map>
#include <utility>
#include <vector>

#include "server/core/kernel_archive.h"

namespace quern {

// For one thread.
class FakeKernelArchive final : public KernelArchive {
 public:
  struct Kept {
    Image image;
    SourceSpec source;
  };

  void Find(const KernelKey& key, Found found) override {
    ++finds;
    Answer([this, key, found] { found(Image(key)); });
  }

  void FindSource(const KernelKey& key, SourceFound found) override {
    Answer([this, key, found] { found(Source(key)); });
  }

  void Keep(const KernelKey& key, quern::Image image,
            SourceSpec source) override {
    kept[key] = {std::move(image), std::move(source)};
  }

  void Remove(const KernelKey& key, Removed removed) override {
    Answer([this, key, removed] {
      if (!fault.ok()) return removed(fault);
      removed(kept.erase(key) == 1 ? absl::OkStatus() : Nothing());
    });
  }

  // Answers what waits.
  void Release() {
    for (const auto& answer : std::exchange(waiting, {})) answer();
  }

  std::map<KernelKey, Kept> kept;
  absl::Status fault;  // What every question is answered with, if an error.
  bool held = false;   // Questions wait for Release.
  int finds = 0;
  std::vector<std::function<void()>> waiting;

 private:
  static absl::Status Nothing() { return absl::NotFoundError("not kept"); }

  void Answer(std::function<void()> answer) {
    if (held) {
      waiting.push_back(std::move(answer));
    } else {
      answer();
    }
  }

  absl::StatusOr<quern::Image> Image(const KernelKey& key) {
    if (!fault.ok()) return fault;
    const auto found = kept.find(key);
    if (found == kept.end()) return Nothing();
    return found->second.image;
  }

  absl::StatusOr<SourceSpec> Source(const KernelKey& key) {
    if (!fault.ok()) return fault;
    const auto found = kept.find(key);
    if (found == kept.end()) return Nothing();
    return found->second.source;
  }
};

}  // namespace quern

#endif  // QUERN_TESTS_FAKES_FAKE_KERNEL_ARCHIVE_H_
