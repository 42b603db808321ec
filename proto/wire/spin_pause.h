// What a thread does between two looks at a word that it spins on.
#ifndef QUERN_PROTO_WIRE_SPIN_PAUSE_H_
#define QUERN_PROTO_WIRE_SPIN_PAUSE_H_

namespace quern {

// Lets the core's other work go first for a moment.
inline void SpinPause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  asm volatile("isb");
#endif
}

}  // namespace quern

#endif  // QUERN_PROTO_WIRE_SPIN_PAUSE_H_
