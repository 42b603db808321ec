// An image made runnable in this process.
#include "tests/execution/loaded_image.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace quern {
namespace {

[[noreturn]] void Fail(const char* what) {
  std::perror(what);
  std::exit(2);
}

// Scratch, filled with a pattern so that a kernel that reads what it has not
// written is noticed.
class Scratch final {
 public:
  explicit Scratch(size_t size_bytes) {
    const size_t rounded = (size_bytes + QUERN_SCRATCH_ALIGNMENT) &
                           ~size_t{QUERN_SCRATCH_ALIGNMENT - 1};
    data_ = std::aligned_alloc(QUERN_SCRATCH_ALIGNMENT, rounded);
    if (data_ == nullptr) Fail("scratch");
    std::memset(data_, 0xcb, rounded);
  }
  ~Scratch() { std::free(data_); }
  void* data() const { return data_; }

 private:
  void* data_;
};

}  // namespace

LoadedImage::LoadedImage(std::string_view image) : size_bytes_(image.size()) {
  if (image.size() < sizeof(header_)) Fail("the image is cut off");
  std::memcpy(&header_, image.data(), sizeof(header_));
  const int fd = memfd_create("kernel", MFD_CLOEXEC);
  if (fd < 0 || ftruncate(fd, size_bytes_) != 0) Fail("memfd_create");
  void* writable =
      mmap(nullptr, size_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (writable == MAP_FAILED) Fail("mmap for writing");
  std::memcpy(writable, image.data(), size_bytes_);
  munmap(writable, size_bytes_);
  void* code =
      mmap(nullptr, size_bytes_, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
  if (code == MAP_FAILED) Fail("mmap for execution");
  close(fd);
  code_ = static_cast<uint8_t*>(code);
  __builtin___clear_cache(reinterpret_cast<char*>(code_),
                          reinterpret_cast<char*>(code_) + size_bytes_);
}

LoadedImage::~LoadedImage() { munmap(code_, size_bytes_); }

quern_entry LoadedImage::entry() const {
  return reinterpret_cast<quern_entry>(code_ + header_.entry_offset);
}

int32_t LoadedImage::Launch(const std::vector<uint64_t>& arguments, uint32_t x,
                            uint32_t y, uint32_t z) const {
  const Scratch scratch(header_.scratch_size_bytes);
  const quern_launch launch = {arguments.data(), {x, y, z}, 0, nullptr};
  return entry()(&launch, 0, uint64_t{x} * y * z, scratch.data());
}

}  // namespace quern
