// Small valid kernel images, made without a compiler.
#ifndef QUERN_TESTS_FAKES_FAKE_IMAGE_H_
#define QUERN_TESTS_FAKES_FAKE_IMAGE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "proto/wire/kernel_key.h"

namespace quern {

// An image of a kernel called `name` that takes `argument_count` pointers and
// returns 0 at once. It is as long as `size_bytes`, or as little more as it
// must be. `machine` is that of its header and of its code.
std::string FakeImage(const KernelKey& key, std::string_view name,
                      uint32_t machine, uint64_t size_bytes = 0,
                      uint32_t argument_count = 1);

// The machine that the tests run on.
uint32_t FakeHostMachine();

// A key whose bytes all are `byte`, but the last, which is `last`.
KernelKey FakeKey(uint8_t byte, uint8_t last = 0);

}  // namespace quern

#endif  // QUERN_TESTS_FAKES_FAKE_IMAGE_H_
