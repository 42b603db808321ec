// Reading and writing back .npy files.
#include "client/cli/npy.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kAlignment = 64;

// NumPy's letters for numbers, and for bytes that mean something to others:
// bfloat16 has none of its own.
constexpr std::string_view kNumberKinds = "?biufcV";

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

// What follows `name` in the header, which is a dictionary as Python writes it.
std::string_view ValueOf(std::string_view header, std::string_view name) {
  const size_t found = header.find(name);
  if (found == std::string_view::npos) return "";
  std::string_view rest = header.substr(found + name.size());
  while (!rest.empty() && (rest[0] == ' ' || rest[0] == ':')) {
    rest.remove_prefix(1);
  }
  return rest;
}

// The size in bytes of a type such as "'<f4'".
absl::StatusOr<uint64_t> ItemSize(std::string_view type,
                                  const std::string& path) {
  if (!type.empty() && type[0] == '[') {
    return Malformed(path, "the array holds records, not numbers");
  }
  const size_t end = type.find('\'', 1);
  if (type.empty() || type[0] != '\'' || end == std::string_view::npos) {
    return Malformed(path, "the header names no type");
  }
  type = type.substr(1, end - 1);
  const bool swapped = !type.empty() && type[0] == '>';
  if (!type.empty() &&
      std::string_view("<>|=").find(type[0]) != std::string_view::npos) {
    type.remove_prefix(1);
  }
  if (type.empty() || kNumberKinds.find(type[0]) == std::string_view::npos) {
    return Malformed(path, type.empty() || type[0] != 'O'
                               ? "the array does not hold numbers"
                               : "the array holds objects, not numbers");
  }
  uint64_t size = 0;
  if (!absl::SimpleAtoi(std::string(type.substr(1)), &size)) {
    return Malformed(path, "the header names no type");
  }
  if (swapped && size > 1) {
    return Malformed(path, "the array is big-endian, which kernels are not");
  }
  return size;
}

// How many items a shape such as "(3, 4)" has.
absl::StatusOr<uint64_t> ItemCount(std::string_view shape,
                                   const std::string& path) {
  const size_t end = shape.find(')');
  if (shape.empty() || shape[0] != '(' || end == std::string_view::npos) {
    return Malformed(path, "the header names no shape");
  }
  uint64_t count = 1;
  const std::vector<std::string> lengths =
      absl::StrSplit(std::string(shape.substr(1, end - 1)), ',');
  for (const std::string& part : lengths) {
    const std::string text(absl::StripAsciiWhitespace(part));
    if (text.empty()) continue;  // After the last comma, or in "()".
    uint64_t length = 0;
    if (!absl::SimpleAtoi(text, &length)) {
      return Malformed(path, "the header names no shape");
    }
    if (__builtin_mul_overflow(count, length, &count)) {
      return Malformed(path, "the shape is too large");
    }
  }
  return count;
}

// The bytes of the array that a header describes.
absl::StatusOr<uint64_t> ArraySize(std::string_view header,
                                   const std::string& path) {
  QUERN_ASSIGN_OR_RETURN(const uint64_t item,
                         ItemSize(ValueOf(header, "'descr'"), path));
  QUERN_ASSIGN_OR_RETURN(const uint64_t count,
                         ItemCount(ValueOf(header, "'shape'"), path));
  uint64_t size_bytes = 0;
  if (__builtin_mul_overflow(item, count, &size_bytes)) {
    return Malformed(path, "the shape is too large");
  }
  return size_bytes;
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
  QUERN_ASSIGN_OR_RETURN(array.size_bytes_, ArraySize(header, path));
  // A kernel would run past the end of what is there.
  if (array.size_bytes_ > file_size - array.data_offset_) {
    return Malformed(path, "the .npy file is cut off");
  }
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
