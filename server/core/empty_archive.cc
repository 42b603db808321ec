// The archive of a daemon without a disk.
#include "server/core/kernel_archive.h"

namespace quern {
namespace {

class EmptyArchive final : public KernelArchive {
 public:
  void Find(const KernelKey&, Found found) override { found(Nothing()); }

  void FindSource(const KernelKey&, SourceFound found) override {
    found(Nothing());
  }

  void Keep(const KernelKey&, Image, SourceSpec) override {}

  void Remove(const KernelKey&, Removed removed) override {
    removed(Nothing());
  }

 private:
  static absl::Status Nothing() {
    return absl::NotFoundError("there is no disk");
  }
};

}  // namespace

std::unique_ptr<KernelArchive> NewEmptyArchive() {
  return std::make_unique<EmptyArchive>();
}

}  // namespace quern
