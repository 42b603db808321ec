// RUN: not quern-opt %s 2>&1 | FileCheck %s

// An operation that no dialect of ours defines is named, with its place.
// CHECK: UNIMPLEMENTED: 6:3: foo.bar: unknown operation
tt.func public @unknown() {
  "foo.bar"() : () -> ()
  tt.return
}
