// NumPy's .npy files: arrays in memory for kernels to work on.
//
// Format: NEP 1 and its versions 1.0, 2.0 and 3.0.
#ifndef QUERN_CLIENT_CLI_NPY_H_
#define QUERN_CLIENT_CLI_NPY_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace quern {

// The bytes of an array, aligned to 64, and the file they came from. What type
// of numbers they are, and in which order the axes lie (Fortran's or C's), is
// the caller's matter: a kernel sees bytes.
class NpyArray final {
 public:
  // NotFound, PermissionDenied: the file cannot be read.
  // InvalidArgument: it is not a .npy file, is cut off, or holds something else
  //   than numbers in this machine's byte order.
  // ResourceExhausted: no memory.
  static absl::StatusOr<NpyArray> Read(const std::string& path);

  // Replaces the array in its file by the bytes in memory.
  //
  // PermissionDenied, ResourceExhausted, Internal: it could not be written.
  absl::Status WriteBack() const;

  uint8_t* data() const { return data_.get(); }
  uint64_t size_bytes() const { return size_bytes_; }

 private:
  struct Free {
    void operator()(uint8_t* data) const;
  };

  std::string path_;
  uint64_t data_offset_ = 0;
  uint64_t size_bytes_ = 0;
  std::unique_ptr<uint8_t[], Free> data_;
};

}  // namespace quern

#endif  // QUERN_CLIENT_CLI_NPY_H_
