// Counts what a program that links this allocates by operator new, in all of
// its threads. Not for builds with sanitizers, which have operators of their
// own.
#ifndef QUERN_TESTS_FAKES_COUNTED_ALLOCATIONS_H_
#define QUERN_TESTS_FAKES_COUNTED_ALLOCATIONS_H_

#include <cstdint>

namespace quern {

uint64_t AllocationCount();

}  // namespace quern

#endif  // QUERN_TESTS_FAKES_COUNTED_ALLOCATIONS_H_
