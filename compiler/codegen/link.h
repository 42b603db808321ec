// Links one object into position-independent bytes that import nothing.
#ifndef QUERN_COMPILER_CODEGEN_LINK_H_
#define QUERN_COMPILER_CODEGEN_LINK_H_

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "compiler/codegen/flat_memory.h"

namespace quern {

// The function that an image is entered by: of type quern_entry.
inline constexpr char kEntrySymbol[] = "quern_entry";

struct LinkedCode {
  FlatLayout layout;
  uint32_t entry_offset = 0;  // From the image's start.
};

// Links the ELF object `object`, keeping what kEntrySymbol reaches, as if the
// image lay at `base`, a multiple of QUERN_IMAGE_ALIGNMENT. The bytes do not
// depend on `base`: every reference is relative and stays inside.
//
// Internal: the object refers to something outside, by an absolute address, by
//   a GOT or TLS entry, or holds writable data; the symbol is named. Or it has
//   no entry.
// ResourceExhausted: code and constants are over the limit of an image.
absl::StatusOr<LinkedCode> LinkObject(std::string_view object, uint64_t base);

}  // namespace quern

#endif  // QUERN_COMPILER_CODEGEN_LINK_H_
