// A stand-in for the daemon's memory and its attach socket, for tests of
// clients: a directory, one slab with real (tiny) kernels, and a thread that
// answers packets as a test tells it.
#ifndef QUERN_TESTS_CLIENT_FAKES_FAKE_DAEMON_H_
#define QUERN_TESTS_CLIENT_FAKES_FAKE_DAEMON_H_

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "proto/wire/attach_protocol.h"
#include "proto/wire/directory_word.h"
#include "proto/wire/image_format.h"
#include "proto/wire/kernel_key.h"
#include "proto/wire/shared_region.h"

namespace quern {

// The machine code of a kernel that returns its `end` argument's low 32 bits
// (so that a launch of N programs "fails" with N), and one that returns 0.
std::string CodeReturningEnd();
std::string CodeReturningZero();

// An image with `code` under `key`, valid in every way. `change` may spoil the
// header before the digest is made.
std::string TestImage(
    const KernelKey& key, const std::string& code, uint32_t argument_count,
    const std::function<void(quern_image_header&)>& change = nullptr);

class FakeDaemon final {
 public:
  // What the fake answers to a request; the descriptor is passed if >= 0.
  struct Reply {
    quern_attach_reply message;
    int fd = -1;
    bool hang_up = false;  // Close instead of answering.
    size_t size_bytes = sizeof(quern_attach_reply);
  };
  using Answer =
      std::function<std::vector<Reply>(const quern_attach_request& request)>;

  // Listens in a fresh folder and answers as a good daemon does.
  FakeDaemon();
  ~FakeDaemon();

  const std::string& attach_path() const { return path_; }

  // Replaces the good answers. Call before a client connects.
  void SetAnswer(Answer answer) { answer_ = std::move(answer); }

  // What a good daemon answers.
  std::vector<Reply> GoodAnswer(const quern_attach_request& request);

  // Puts an image into the slab at `page` and, if `publish`, its word into the
  // directory.
  void AddImage(const KernelKey& key, uint32_t page, const std::string& image,
                bool publish = true);

  // The directory's bytes, to be changed by a test.
  SharedRegion& directory() { return directory_; }

  // How many requests of the type were read.
  int requests(uint32_t type) const { return counts_[type % 256].load(); }

  static constexpr uint32_t kSlab = 5;
  static constexpr uint64_t kSlabSizeBytes = 64 << 10;
  static constexpr uint32_t kBuckets = 16;

 private:
  void Serve();
  void ServeClient(int client);

  std::string folder_;
  std::string path_;
  Answer answer_;
  UniqueFd directory_fd_;
  SharedRegion directory_;
  UniqueFd slab_fd_;
  SharedRegion slab_;
  UniqueFd listener_;
  UniqueFd stop_read_;
  UniqueFd stop_write_;
  std::atomic<int> counts_[256] = {};
  std::thread thread_;
};

// A reply of `type` with `value`.
FakeDaemon::Reply MakeReply(uint32_t type, uint64_t value);

}  // namespace quern

#endif  // QUERN_TESTS_CLIENT_FAKES_FAKE_DAEMON_H_
