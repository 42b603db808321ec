// An image made runnable in this process, for tests and benchmarks. Mapped
// twice, writable and executable apart, as the daemon and its clients do.
#ifndef QUERN_TESTS_EXECUTION_LOADED_IMAGE_H_
#define QUERN_TESTS_EXECUTION_LOADED_IMAGE_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "proto/wire/image_format.h"
#include "proto/wire/kernel_abi.h"

namespace quern {

class LoadedImage final {
 public:
  // Ends the process, with a message, if `image` cannot be loaded: its bytes
  // are trusted, VerifyImage is the caller's matter.
  explicit LoadedImage(std::string_view image);
  LoadedImage(const LoadedImage&) = delete;
  LoadedImage& operator=(const LoadedImage&) = delete;
  ~LoadedImage();

  const quern_image_header& header() const { return header_; }

  // Runs all programs of `grid` on this thread with scratch of its own, filled
  // with a pattern.
  int32_t Launch(const std::vector<uint64_t>& arguments, uint32_t x,
                 uint32_t y = 1, uint32_t z = 1) const;

  quern_entry entry() const;

 private:
  quern_image_header header_;
  uint8_t* code_ = nullptr;
  size_t size_bytes_ = 0;
};

}  // namespace quern

#endif  // QUERN_TESTS_EXECUTION_LOADED_IMAGE_H_
