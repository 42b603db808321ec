// Numbers and arrays as launch arguments.
#include "client/cli/argument_values.h"

#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

constexpr char kOutSuffix[] = ":out";

// The 16 high bits of `value`, rounded to nearest even.
uint16_t ToBfloat16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return static_cast<uint16_t>(bits >> 16 | 0x40);
  const uint32_t rounding = 0x7fff + (bits >> 16 & 1);
  return static_cast<uint16_t>((bits + rounding) >> 16);
}

absl::StatusOr<uint64_t> FloatSlot(const std::string& word, uint8_t kind) {
  double value = 0;
  if (!absl::SimpleAtod(word, &value)) {
    return absl::InvalidArgumentError(absl::StrCat(word, " is not a number"));
  }
  const float single = static_cast<float>(value);
  switch (kind) {
    case QUERN_ARGUMENT_F16:
      return std::bit_cast<uint16_t>(static_cast<_Float16>(value));
    case QUERN_ARGUMENT_BF16:
      return ToBfloat16(single);
    case QUERN_ARGUMENT_F32:
      return std::bit_cast<uint32_t>(single);
    default:
      return std::bit_cast<uint64_t>(value);
  }
}

// The widths in bits of QUERN_ARGUMENT_I1 to QUERN_ARGUMENT_I64.
int WidthOf(uint8_t kind) {
  constexpr int kWidths[] = {1, 8, 16, 32, 64};
  return kWidths[kind - QUERN_ARGUMENT_I1];
}

absl::StatusOr<uint64_t> IntegerSlot(const std::string& word, uint8_t kind) {
  const int width = WidthOf(kind);
  const uint64_t mask = width == 64 ? std::numeric_limits<uint64_t>::max()
                                    : (uint64_t{1} << width) - 1;
  int64_t value = 0;
  uint64_t unsigned_value = 0;
  if (absl::SimpleAtoi(word, &value)) {
    // Both the signed and the unsigned numbers of the width fit.
    const int64_t least = width == 64 ? std::numeric_limits<int64_t>::min()
                                      : -(int64_t{1} << (width - 1));
    if (value >= least && (value < 0 || static_cast<uint64_t>(value) <= mask)) {
      return static_cast<uint64_t>(value) & mask;
    }
  } else if (width == 64 && absl::SimpleAtoi(word, &unsigned_value)) {
    return unsigned_value;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(word, " is not an integer of ", width, " bits"));
}

bool EndsWith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() &&
         text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

absl::StatusOr<uint64_t> ScalarSlot(const std::string& word, uint8_t kind) {
  if (kind >= QUERN_ARGUMENT_I1 && kind <= QUERN_ARGUMENT_I64) {
    return IntegerSlot(word, kind);
  }
  return FloatSlot(word, kind);
}

absl::StatusOr<ArgumentValues> ArgumentValues::Parse(
    const std::vector<std::string>& words, const quern_image_header& header) {
  if (words.size() != header.argument_count) {
    return absl::InvalidArgumentError(
        absl::StrCat("the kernel has ", header.argument_count,
                     " arguments, but ", words.size(), " --arg are given"));
  }
  ArgumentValues values;
  for (size_t i = 0; i < words.size(); ++i) {
    QUERN_RETURN_IF_ERROR(
        Annotate(values.Add(words[i], header.argument_kinds[i]),
                 absl::StrCat("argument ", i)));
  }
  return values;
}

absl::Status ArgumentValues::Add(const std::string& word, uint8_t kind) {
  const bool array = !word.empty() && word[0] == '@';
  if (array != (kind == QUERN_ARGUMENT_POINTER)) {
    return absl::InvalidArgumentError(
        array ? absl::StrCat(word, " is given for a scalar")
              : absl::StrCat("a pointer needs @FILE.npy, not ", word));
  }
  if (!array) {
    QUERN_ASSIGN_OR_RETURN(const uint64_t slot, ScalarSlot(word, kind));
    slots_.push_back(slot);
    return absl::OkStatus();
  }
  const bool out = EndsWith(word, kOutSuffix);
  const std::string path =
      word.substr(1, word.size() - 1 - (out ? sizeof(kOutSuffix) - 1 : 0));
  QUERN_ASSIGN_OR_RETURN(NpyArray contents, NpyArray::Read(path));
  slots_.push_back(reinterpret_cast<uintptr_t>(contents.data()));
  arrays_.push_back({std::move(contents), out});
  return absl::OkStatus();
}

absl::Status ArgumentValues::WriteBack() const {
  for (const Array& array : arrays_) {
    if (array.written_back) {
      QUERN_RETURN_IF_ERROR(array.contents.WriteBack());
    }
  }
  return absl::OkStatus();
}

}  // namespace quern
