// Stores on one folder in memory, whose disk fails as a test wishes.
#ifndef QUERN_TESTS_CACHE_DISK_IMAGE_STORE_FIXTURE_H_
#define QUERN_TESTS_CACHE_DISK_IMAGE_STORE_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>

#include "cache/disk_image_store.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_image.h"
#include "tests/fakes/fault_file_ops.h"

namespace quern {

inline constexpr uint64_t kBlock = 4096;

inline Image ImageOf(const KernelKey& key) {
  return std::make_shared<const std::string>(
      FakeImage(key, "kernel", FakeHostMachine()));
}

inline SourceSpec SpecOf(const std::string& source) {
  auto spec = std::make_shared<CompileSpec>();
  spec->source = source;
  return spec;
}

class DiskImageStoreTest : public testing::Test {
 protected:
  // A store as a daemon opens it; each entry of these tests is one block.
  std::unique_ptr<DiskImageStore> Open(uint64_t blocks = 64) {
    return NewDiskImageStore(
        folder_.Open(),
        {.size_bytes_max = blocks * kBlock, .writer = ++last_writer_},
        [this] { return clock_.Now(); });
  }

  static absl::Status Put(DiskImageStore& store, uint8_t key) {
    return store.Put(FakeKey(key), ImageOf(FakeKey(key)), SpecOf("source"));
  }

  // Which of the keys 1 to 9 are there.
  std::string Keys() {
    std::string keys;
    const auto contents = folder_.Contents();
    for (uint8_t key = 1; key <= 9; ++key) {
      if (contents.contains(FakeKey(key).ToHex())) {
        keys += static_cast<char>('0' + key);
      }
    }
    return keys;
  }

  size_t Unfinished() {
    size_t count = 0;
    for (const auto& [name, bytes] : folder_.Contents()) {
      count += name.rfind("tmp-", 0) == 0 ? 1 : 0;
    }
    return count;
  }

  FakeClock clock_;
  FaultyFolder folder_;
  uint64_t last_writer_ = 0;
};

}  // namespace quern

#endif  // QUERN_TESTS_CACHE_DISK_IMAGE_STORE_FIXTURE_H_
