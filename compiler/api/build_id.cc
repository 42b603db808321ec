// The compiler's identity: the GNU build ids of what it is linked from.
#include <elf.h>
#include <link.h>

#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "compiler/api/compiler.h"

namespace quern {
namespace {

// The objects of this process that compiling depends on, in a fixed order.
constexpr std::array<std::string_view, 3> kObjects = {"", "libMLIR", "libLLVM"};

struct Found {
  std::array<std::string, kObjects.size()> ids;
  std::array<bool, kObjects.size()> present = {};
};

// The build id in one segment of notes; empty if there is none.
std::string BuildIdIn(const char* notes, size_t size) {
  size_t place = 0;
  while (place + sizeof(ElfW(Nhdr)) <= size) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes + place, sizeof(note));
    const size_t name = place + sizeof(note);
    const size_t value = name + ((note.n_namesz + 3) & ~size_t{3});
    const size_t end = value + ((note.n_descsz + 3) & ~size_t{3});
    if (end > size) break;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
        std::memcmp(notes + name, "GNU", 4) == 0) {
      return std::string(notes + value, note.n_descsz);
    }
    place = end;
  }
  return "";
}

int Visit(dl_phdr_info* info, size_t, void* data) {
  Found& found = *static_cast<Found*>(data);
  std::string_view name = info->dlpi_name;
  const bool is_program = name.empty();
  name = name.substr(name.find_last_of('/') + 1);
  for (size_t i = 0; i < kObjects.size(); ++i) {
    const bool matches =
        i == 0 ? is_program : name.substr(0, kObjects[i].size()) == kObjects[i];
    // The first object without a name is the program; the vdso has none in
    // some kernels, but comes later.
    if (!matches || found.present[i] || (is_program && i != 0)) continue;
    found.present[i] = true;
    for (int j = 0; j < info->dlpi_phnum; ++j) {
      const ElfW(Phdr)& header = info->dlpi_phdr[j];
      if (header.p_type != PT_NOTE || !found.ids[i].empty()) continue;
      found.ids[i] = BuildIdIn(
          reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr),
          header.p_memsz);
    }
  }
  return 0;
}

}  // namespace

absl::StatusOr<BuildId> CompilerBuildId() {
  Found found;
  dl_iterate_phdr(Visit, &found);
  std::string bytes;
  for (size_t i = 0; i < kObjects.size(); ++i) {
    // A library that is linked in statically is covered by the program's id.
    if (!found.present[i]) continue;
    if (found.ids[i].empty()) {
      return absl::FailedPreconditionError(absl::StrCat(
          i == 0 ? std::string("this program") : std::string(kObjects[i]),
          " was linked without --build-id"));
    }
    bytes += static_cast<char>(found.ids[i].size());
    bytes += found.ids[i];
  }
  return Sha256(bytes);
}

}  // namespace quern
