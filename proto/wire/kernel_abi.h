/* The kernel ABI: how compiled code is called. C, installed, versioned.
 *
 * A kernel image (IMAGE.md) has one entry point of type quern_entry. The loop
 * over the programs of a launch is inside the compiled code, so that a launch
 * costs one call a worker thread and not one a program.
 *
 * Contract of an entry point:
 *  - It is re-entrant: any number of threads may run it at once, each with a
 *    `scratch` of its own.
 *  - It reads `launch` and everything that it points to, and writes only to
 *    `scratch` and to the memory that the kernel's own pointers name.
 *  - It imports nothing, allocates nothing and makes no system call. What it
 *    needs from its caller it asks of `launch->services`.
 *  - It runs under the floating-point control (MXCSR, FPCR) of the thread that
 *    launched, and relies on rounding to nearest.
 *  - Programs of one grid need not run concurrently: a kernel in which one
 *    program waits for another may never end.
 */
#ifndef QUERN_PROTO_WIRE_KERNEL_ABI_H_
#define QUERN_PROTO_WIRE_KERNEL_ABI_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Rises with every change to this file that a compiled kernel can notice. */
#define QUERN_KERNEL_ABI_VERSION 1u

/* `scratch` is aligned to this, in bytes. */
#define QUERN_SCRATCH_ALIGNMENT 64u

/* The most arguments that a kernel has. */
#define QUERN_ARGUMENTS_MAX 128u

struct quern_launch;

/* A slice [begin, end) of the work given to quern_services.parallel_for.
 * `scratch` belongs to the calling thread and is as large as the image's
 * header says. Returns 0, or the number of the device assert that failed. */
typedef int32_t (*quern_body)(const struct quern_launch* launch, void* closure,
                              uint64_t begin, uint64_t end, void* scratch);

/* What a kernel may ask of its caller. The table is versioned by its size: a
 * kernel uses a callback only if `size_bytes` covers it. All callbacks may be
 * called from any thread that runs the kernel. */
struct quern_services {
  uint32_t size_bytes;
  uint32_t reserved;
  void* context;
  /* Runs `body` over [0, count) in chunks on the launch's threads and returns
   * when all are done: 0, or the first failure of a body. */
  int32_t (*parallel_for)(void* context, const struct quern_launch* launch,
                          uint64_t count, quern_body body, void* closure);
  /* Writes `size_bytes` of UTF-8 text to the launch's output. */
  void (*print)(void* context, const char* text, uint64_t size_bytes);
};

/* One launch. Owned by the caller, read-only to the kernel. */
struct quern_launch {
  /* One 8-byte slot an argument, the value in the low bytes, little-endian. A
   * pointer is an address in the process that runs the kernel. The other bytes
   * of a slot are ignored. */
  const uint64_t* args;
  /* Programs along x, y and z. The product is below 2^63. */
  uint32_t grid[3];
  /* Zero. */
  uint32_t flags;
  /* May be null if the image's header asks for no services. */
  const struct quern_services* services;
};

/* Runs programs [begin, end) of the linear grid (x fastest), end at most the
 * grid's product. Returns 0, or the number (from 1) of the device assert that
 * failed; the programs after it may then not have run. */
typedef int32_t (*quern_entry)(const struct quern_launch* launch,
                               uint64_t begin, uint64_t end, void* scratch);

#ifdef __cplusplus
}
#endif

#endif  /* QUERN_PROTO_WIRE_KERNEL_ABI_H_ */
