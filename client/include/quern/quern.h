/* quern.h: compiles kernels once for a device and runs them in this process.
 *
 *   quern_client* client;
 *   quern_client_create(NULL, &client, NULL);
 *   quern_source source = {.size_bytes = sizeof(source), .text = ttir,
 *                          .text_size_bytes = strlen(ttir)};
 *   quern_kernel* add;
 *   quern_compile(client, &source, &add, NULL);
 *   uint64_t args[4] = {(uint64_t)x, (uint64_t)y, (uint64_t)z, n};
 *   quern_launch_grid(client, add, (quern_grid){.x = (n + 1023) / 1024},
 *                     args, 4, 0, NULL);
 *
 * Thread safety: every function may be called from any thread at any time,
 * except that nothing may use an object while, or after, it is destroyed. In a
 * forked child a client connects anew by itself with its first call, and
 * kernels stay valid.
 *
 * Errors: functions return QUERN_OK or a code; the codes are those of
 * google.rpc.Code. If `error` is not null it is filled on failure.
 *
 * Structs with `size_bytes` first are versioned by it: set it to sizeof the
 * struct; what lies beyond it takes its default (zero).
 */
#ifndef QUERN_QUERN_H_
#define QUERN_QUERN_H_

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define QUERN_API __attribute__((visibility("default")))
#else
#define QUERN_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum quern_code {
  QUERN_OK = 0,
  QUERN_CANCELLED = 1,
  QUERN_UNKNOWN = 2,
  QUERN_INVALID_ARGUMENT = 3,
  QUERN_DEADLINE_EXCEEDED = 4,
  QUERN_NOT_FOUND = 5,
  QUERN_ALREADY_EXISTS = 6,
  QUERN_PERMISSION_DENIED = 7,
  QUERN_RESOURCE_EXHAUSTED = 8,
  QUERN_FAILED_PRECONDITION = 9,
  QUERN_ABORTED = 10,
  QUERN_OUT_OF_RANGE = 11,
  QUERN_UNIMPLEMENTED = 12,
  QUERN_INTERNAL = 13,
  QUERN_UNAVAILABLE = 14,
  QUERN_DATA_LOSS = 15,
  QUERN_UNAUTHENTICATED = 16
} quern_code;

/* Owned by the caller. The message is UTF-8 and ends with a zero byte; a
 * longer one is cut. */
typedef struct quern_error {
  quern_code code;
  char message[1020];
} quern_error;

/* A connection to one daemon, with the kernels that this process mapped and
 * the threads that run them. */
typedef struct quern_client quern_client;

/* A kernel, mapped and ready. Immutable; it outlives its client. */
typedef struct quern_kernel quern_kernel;

typedef struct quern_client_options {
  size_t size_bytes;
  /* The daemon's sockets; both or neither. NULL: the service in /run/quern if
   * this user may use it, else a private daemon, started if none runs. */
  const char* rpc_path;
  const char* attach_path;
  /* The program of a private daemon. NULL: quernd beside this library. */
  const char* daemon_program;
  /* Threads of a launch, the caller's included. 0: as many CPUs as the
   * affinity mask and the control group grant. */
  uint32_t threads;
  /* 0: 10,000. */
  uint32_t connect_timeout_ms;
  /* Not 0: never start a private daemon. */
  uint32_t no_private_daemon;
  /* Not 0: fail at once while the daemon is away, instead of trying again
   * until the call's deadline. */
  uint32_t fail_fast;
} quern_client_options;

/* Connects. `options` may be NULL. On success the caller owns `*client`.
 *
 * NOT_FOUND: no daemon, and none could be started. PERMISSION_DENIED,
 * UNAVAILABLE, DEADLINE_EXCEEDED: the daemon cannot be reached.
 * FAILED_PRECONDITION: the daemon is of another protocol version. */
QUERN_API quern_code quern_client_create(const quern_client_options* options,
                                         quern_client** client,
                                         quern_error* error);

/* Disconnects and ends the client's threads. NULL is allowed. */
QUERN_API void quern_client_destroy(quern_client* client);

typedef enum quern_source_format {
  QUERN_SOURCE_TRITON_IR = 0, /* As Triton 3.3 to 3.9 print it. */
  QUERN_SOURCE_MLIR = 2,
  QUERN_SOURCE_LLVM_IR = 3
} quern_source_format;

/* What is known of one argument beyond what the source says. */
typedef struct quern_argument {
  const char* type;      /* Triton's spelling: "*fp32", "i32". */
  uint32_t divisibility; /* The value is a multiple of it; 0 says nothing. */
  uint32_t has_constant; /* Not 0: the argument always is `constant`. */
  uint64_t constant;     /* An integer, or the bits of a float. */
} quern_argument;

typedef struct quern_source {
  size_t size_bytes;
  quern_source_format format;
  uint32_t disable_fp_contract; /* Not 0: never round a * b + c only once. */
  const char* text;             /* At most 16 MiB; not zero-ended. */
  size_t text_size_bytes;
  const char* entry; /* NULL: the source's only public function. */
  const quern_argument* arguments; /* NULL, or one for each argument. */
  size_t argument_count;
  uint32_t timeout_ms; /* 0: 120,000. */
} quern_source;

/* Returns the kernel of `source`, compiled if no cache holds it. On success
 * the caller owns `*kernel`.
 *
 * Codes: those of quern.v1.KernelService.Compile (proto/quern/v1). */
QUERN_API quern_code quern_compile(quern_client* client,
                                   const quern_source* source,
                                   quern_kernel** kernel, quern_error* error);

/* Returns the kernel of a key, if this process or the daemon has it; never
 * compiles. From the second use of a key it makes no system call. On success
 * the caller owns `*kernel`. NOT_FOUND: nobody has it. */
QUERN_API quern_code quern_lookup(quern_client* client, const uint8_t key[32],
                                  quern_kernel** kernel, quern_error* error);

/* Gives the handle back. NULL is allowed. Its code stays mapped while another
 * handle, or the client, refers to it. */
QUERN_API void quern_kernel_release(quern_kernel* kernel);

/* Copies the 32 bytes of the kernel's key. */
QUERN_API void quern_kernel_key(const quern_kernel* kernel, uint8_t key[32]);

/* How many arguments the kernel takes. */
QUERN_API uint32_t quern_kernel_argument_count(const quern_kernel* kernel);

/* Bytes of scratch that each thread in quern_entry needs, 64-byte aligned. */
QUERN_API uint64_t quern_kernel_scratch_size(const quern_kernel* kernel);

struct quern_launch;
#ifndef QUERN_PROTO_WIRE_KERNEL_ABI_H_
typedef int32_t (*quern_entry)(const struct quern_launch* launch,
                               uint64_t begin, uint64_t end, void* scratch);
#endif

/* The compiled function itself, for callers that bring their own threads
 * (quern/kernel_abi.h is its contract). Valid until the handle is released. */
QUERN_API quern_entry quern_kernel_entry(const quern_kernel* kernel);

/* Programs along each axis; a 0 in `y` or `z` means 1. */
typedef struct quern_grid {
  uint32_t x;
  uint32_t y;
  uint32_t z;
} quern_grid;

/* Runs every program of `grid` on the caller's thread and the client's, and
 * returns when all have ended. `args` has one 8-byte slot an argument, the
 * value in the low bytes (an address, an integer, the bits of a float).
 * `threads` bounds the threads that take part: 0 all, 1 the caller's alone.
 *
 * INVALID_ARGUMENT: another number of arguments, or 2^63 programs or more.
 * ABORTED: a device assert failed; the message is the assert's.
 * RESOURCE_EXHAUSTED: no memory for scratch. */
QUERN_API quern_code quern_launch_grid(quern_client* client,
                                       const quern_kernel* kernel,
                                       quern_grid grid, const uint64_t* args,
                                       size_t argument_count,
                                       uint32_t threads, quern_error* error);

/* "0.1.0". */
QUERN_API const char* quern_version(void);

#ifdef __cplusplus
}
#endif

#endif  /* QUERN_QUERN_H_ */
