// Reading and writing back .npy files.
#include "client/cli/npy.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kAlignment = 64;

absl::Status Malformed(const std::string& path, std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": ", std::string(what)));
}

// Where the array begins, from the magic, version and header length.
absl::StatusOr<uint64_t> DataOffset(std::ifstream& file,
                                    const std::string& path) {
  unsigned char prefix[12] = {};
  file.read(reinterpret_cast<char*>(prefix), 10);
  if (!file || std::memcmp(prefix, kMagic.data(), kMagic.size()) != 0) {
    return Malformed(path, "not a .npy file");
  }
  const int version = prefix[6];
  if (version < 1 || version > 3) {
    return Malformed(path, "a .npy file of an unknown version");
  }
  if (version == 1) return 10 + (prefix[8] | uint64_t{prefix[9]} << 8);
  file.read(reinterpret_cast<char*>(prefix) + 10, 2);
  if (!file) return Malformed(path, "the .npy file is cut off");
  return 12 + (prefix[8] | uint64_t{prefix[9]} << 8 |
               uint64_t{prefix[10]} << 16 | uint64_t{prefix[11]} << 24);
}

}  // namespace

void NpyArray::Free::operator()(uint8_t* data) const { std::free(data); }

absl::StatusOr<NpyArray> NpyArray::Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return ErrnoStatus(errno, absl::StrCat("opening ", path));
  const uint64_t file_size = static_cast<uint64_t>(file.tellg());
  file.seekg(0);
  NpyArray array;
  array.path_ = path;
  QUERN_ASSIGN_OR_RETURN(array.data_offset_, DataOffset(file, path));
  if (array.data_offset_ > file_size) {
    return Malformed(path, "the .npy file is cut off");
  }
  std::string header(array.data_offset_, '\0');
  file.seekg(0);
  file.read(header.data(), static_cast<std::streamsize>(header.size()));
  if (header.find("'|O'") != std::string::npos) {
    return Malformed(path, "the array holds objects, not numbers");
  }
  array.size_bytes_ = file_size - array.data_offset_;
  const uint64_t rounded =
      (array.size_bytes_ + kAlignment) / kAlignment * kAlignment;
  array.data_.reset(
      static_cast<uint8_t*>(std::aligned_alloc(kAlignment, rounded)));
  if (array.data_ == nullptr) {
    return absl::ResourceExhaustedError(absl::StrCat(path, ": no memory"));
  }
  file.read(reinterpret_cast<char*>(array.data_.get()),
            static_cast<std::streamsize>(array.size_bytes_));
  if (!file) return Malformed(path, "the .npy file is cut off");
  return array;
}

absl::Status NpyArray::WriteBack() const {
  std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
  if (!file) return ErrnoStatus(errno, absl::StrCat("opening ", path_));
  file.seekp(static_cast<std::streamoff>(data_offset_));
  file.write(reinterpret_cast<const char*>(data_.get()),
             static_cast<std::streamsize>(size_bytes_));
  file.flush();
  if (!file) return ErrnoStatus(errno, absl::StrCat("writing ", path_));
  return absl::OkStatus();
}

}  // namespace quern
