// A compiler without LLVM that does what its source says, for tests of all
// that lies around a compiler.
//
// The source's first word is a command; what follows it, to the first blank,
// is the command's argument:
//   ok NAME           an image of a kernel called NAME; for a view, a text
//   size BYTES        an image of so many bytes
//   invalid           InvalidArgument, as for a source that does not parse
//   unimplemented     Unimplemented
//   crash, abort      a null pointer is followed; abort() is called
//   spin              never ends
//   allocate          allocates memory, and touches it, without end
//   recurse           overflows the stack
//   syscall           makes a system call that no compiler needs
//   garbage           a success whose bytes are no image
//   wrong_key         an image of another key
//   sleep_ms COUNT    computes for so long, then as `ok slept`
// Anything else is invalid.
#ifndef QUERN_TESTS_FAKES_FAKE_COMPILER_H_
#define QUERN_TESTS_FAKES_FAKE_COMPILER_H_

#include <memory>

#include "compiler/api/compiler.h"

namespace quern {

std::unique_ptr<Compiler> NewFakeCompiler();

// What the fake says of itself: a constant build id, and a host of the machine
// that the tests run on.
BuildId FakeBuildId();
TargetSpec FakeHostTarget();

}  // namespace quern

#endif  // QUERN_TESTS_FAKES_FAKE_COMPILER_H_
