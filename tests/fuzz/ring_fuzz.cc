// Fuzzes a ring: the input is a row of writes into its memory, each two bytes
// of place, four of value and one that says what both ends do next. An end may
// only ever see what it counts itself.
#include <cstdint>
#include <cstring>

#include "proto/wire/ring.h"

namespace quern {
namespace {

constexpr uint32_t kSlots = 2;
constexpr size_t kStep = 7;

void Check(bool condition) {
  if (!condition) __builtin_trap();
}

SharedRegion MapRing(const RingOwner& owner) {
  return *SharedRegion::Map(owner.fd(), owner.size_bytes(), Access::kReadWrite);
}

void Execute(RingExecutor& executor, uint32_t& taken) {
  const quern_ring_submission* launch = executor.Take();
  if (launch == nullptr) return;
  Check(launch->sequence == ++taken);
  uint64_t sum = 0;
  for (int i = 0; launch->argument_count <= QUERN_RING_ARGUMENTS_MAX &&
                  i < launch->argument_count;
       ++i) {
    sum += launch->arguments[i];
  }
  executor.Begin();
  executor.Complete({.detail = static_cast<uint32_t>(sum)});
}

void Fuzz(const uint8_t* data, size_t size) {
  const absl::StatusOr<RingOwner> owner = RingOwner::Create(kSlots);
  if (!owner.ok()) return;
  SharedRegion memory = MapRing(*owner);
  RingClient client = *RingClient::Open(MapRing(*owner));
  RingExecutor executor = *RingExecutor::Open(MapRing(*owner));
  uint32_t executed = 0;
  uint32_t completed = 0;
  for (; size >= kStep; data += kStep, size -= kStep) {
    const size_t place = (size_t{data[0]} << 8 | data[1]) % memory.size_bytes();
    std::memcpy(memory.data() + place / 4 * 4, data + 2, 4);
    const uint64_t argument = place;
    if ((data[6] & 1) != 0) {
      Check(client.Submit({.tag = place, .arguments = {&argument, 1}}) ||
            client.outstanding() == kSlots);
    }
    if ((data[6] & 2) != 0) Execute(executor, executed);
    quern_ring_completion completion;
    if ((data[6] & 4) != 0 && client.Take(completion)) {
      Check(completion.sequence == ++completed);
    }
    if ((data[6] & 8) != 0) client.Wake();
    // A ring is checked when it is opened, whatever lies there.
    if ((data[6] & 16) != 0) {
      RingExecutor::Open(MapRing(*owner)).status().IgnoreError();
    }
  }
}

}  // namespace
}  // namespace quern

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  quern::Fuzz(data, size);
  return 0;
}
