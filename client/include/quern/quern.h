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

/* Returns the kernel of a key, if this process or the daemon has it, in memory
 * or on disk; never compiles. From the second use of a key it makes no system
 * call. On success the caller owns `*kernel`.
 *
 * NOT_FOUND: nobody has it for this machine. Other codes: those of reaching the
 * daemon, and of quern.v1.KernelService.Lookup. */
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
                                       size_t argument_count, uint32_t threads,
                                       quern_error* error);

/* Served launches: kernels that run in a process of the daemon's, confined, on
 * buffers that both share. A kernel that crashes ends that process and not this
 * one; a process that must run no foreign code can launch all the same.
 *
 *   quern_session* session;
 *   quern_session_create(client, &session, NULL);
 *   uint8_t key[32];
 *   quern_kernel_key(add, key);
 *   uint32_t id;
 *   quern_session_load(session, key, &id, NULL);
 *   quern_buffer* x;
 *   quern_buffer_create(session, 4 * n, &x, NULL);
 *   quern_ring* ring;
 *   quern_ring_create(session, 64, &ring, NULL);
 *   uint64_t args[2] = {quern_buffer_argument(x, 0), n};
 *   quern_served_launch launch = {.tag = 1, .kernel = id, .grid = {.x = 8},
 *                                 .args = args, .argument_count = 2};
 *   size_t count;
 *   quern_ring_submit(ring, &launch, 1, &count, NULL);
 *   quern_completion done;
 *   quern_ring_wait(ring, &done, 1, 1000, &count, NULL);
 *
 * A session belongs to one daemon and one process: when the daemon goes, or in
 * a forked child, make a new one. Sessions are thread-safe, buffers immutable;
 * a ring is for one thread at a time. They may be destroyed in any order. */
typedef struct quern_session quern_session;
typedef struct quern_buffer quern_buffer;
typedef struct quern_ring quern_ring;

/* On success the caller owns `*session`. Codes: those of quern_client_create.
 * FAILED_PRECONDITION from any function below: this is a forked child. */
QUERN_API quern_code quern_session_create(quern_client* client,
                                          quern_session** session,
                                          quern_error* error);

/* NULL is allowed, here and in the two functions like it below. */
QUERN_API void quern_session_destroy(quern_session* session);

/* Returns the id by which launches of this session name the kernel of `key`,
 * which need not be mapped here. It stays valid when the daemon evicts the
 * kernel, and when the executor is started anew.
 *
 * NOT_FOUND: the daemon does not have it, in memory or on disk; compile it.
 * RESOURCE_EXHAUSTED: the session has as many kernels as it may. For a kernel
 * on disk also the codes of quern_lookup. */
QUERN_API quern_code quern_session_load(quern_session* session,
                                        const uint8_t key[32], uint32_t* kernel,
                                        quern_error* error);

/* Gives the id back. No launch of the kernel may be outstanding.
 * NOT_FOUND: it is not loaded. */
QUERN_API quern_code quern_session_unload(quern_session* session,
                                          uint32_t kernel, quern_error* error);

/* Makes a buffer of zeros, mapped here and in the executor. On success the
 * caller owns `*buffer`.
 *
 * OUT_OF_RANGE: 0 bytes. RESOURCE_EXHAUSTED: the session has as many buffers,
 * or bytes of them, as it may (4 GiB unless the daemon is configured
 * otherwise). */
QUERN_API quern_code quern_buffer_create(quern_session* session,
                                         uint64_t size_bytes,
                                         quern_buffer** buffer,
                                         quern_error* error);

/* No launch that uses it may be outstanding. */
QUERN_API void quern_buffer_destroy(quern_buffer* buffer);

/* Its memory in this process, until it is destroyed. */
QUERN_API void* quern_buffer_data(const quern_buffer* buffer);
QUERN_API uint64_t quern_buffer_size(const quern_buffer* buffer);

/* The argument that stands for a pointer to the byte at `offset_bytes`, which
 * is at most the buffer's size. The argument 0 is the null pointer. */
QUERN_API uint64_t quern_buffer_argument(const quern_buffer* buffer,
                                         uint64_t offset_bytes);

/* Makes a ring: `slots` is a power of two, at most 1,024, and how many launches
 * can be outstanding. The session's first ring starts its executor, and so does
 * the next one after an executor has ended. On success the caller owns `*ring`.
 *
 * OUT_OF_RANGE: another number of slots. RESOURCE_EXHAUSTED: the session has as
 * many rings as it may (4 unless configured otherwise). NOT_FOUND,
 * FAILED_PRECONDITION, ABORTED: there is no executor, it cannot be confined on
 * this machine, or it ended at once. */
QUERN_API quern_code quern_ring_create(quern_session* session, uint32_t slots,
                                       quern_ring** ring, quern_error* error);

/* Launches that have not begun do not run. */
QUERN_API void quern_ring_destroy(quern_ring* ring);

/* Read the clock before and after, and report the time in between. */
#define QUERN_SERVED_MEASURE 1u

typedef struct quern_served_launch {
  uint64_t tag;    /* Comes back with the completion. */
  uint32_t kernel; /* From quern_session_load. */
  uint32_t flags;  /* QUERN_SERVED_MEASURE, or 0. */
  quern_grid grid;
  uint32_t reserved;    /* 0. */
  const uint64_t* args; /* As for quern_launch_grid, but for pointers, which
                         * come from quern_buffer_argument. At most 128. */
  size_t argument_count;
} quern_served_launch;

/* Submits launches in their order, as many as there are free slots for. They
 * run one after the other, and their arguments are copied before the function
 * returns. Makes no system call unless the executor sleeps, and allocates
 * nothing.
 *
 * `*submitted` is how many, also on failure. INVALID_ARGUMENT: more than 128
 * arguments, or flags that are not known. ABORTED, DEADLINE_EXCEEDED,
 * RESOURCE_EXHAUSTED, UNAVAILABLE: the executor has ended, as the message says;
 * take what is outstanding, and make a new ring. */
QUERN_API quern_code quern_ring_submit(quern_ring* ring,
                                       const quern_served_launch* launches,
                                       size_t count, size_t* submitted,
                                       quern_error* error);

typedef struct quern_completion {
  uint64_t tag;
  /* QUERN_OK: every program has run. ABORTED: a device assert failed, or the
   * executor crashed or was killed. DEADLINE_EXCEEDED: the launch ran longer
   * than it may (10 s unless configured otherwise). RESOURCE_EXHAUSTED: no
   * memory. UNAVAILABLE: the daemon is gone. NOT_FOUND: no such kernel or
   * buffer. OUT_OF_RANGE: an offset is past its buffer's end.
   * INVALID_ARGUMENT: another number of arguments, or 2^63 programs. */
  quern_code code;
  uint32_t status; /* enum quern_ring_status, quern/ring_layout.h. */
  uint32_t detail; /* Its detail: an assert's or argument's number. */
  uint32_t reserved;
  uint64_t run_nanoseconds; /* 0 unless QUERN_SERVED_MEASURE was set. */
} quern_completion;

/* Takes completions in the order of their launches, at most `count_max`. If
 * there is none it waits for one: it spins for about 50 us, then sleeps, for
 * `timeout_ms` in all. `*count` is how many; 0 after the time, or if nothing is
 * outstanding. It does not wait for a daemon that is gone. */
QUERN_API quern_code quern_ring_wait(quern_ring* ring,
                                     quern_completion* completions,
                                     size_t count_max, uint32_t timeout_ms,
                                     size_t* count, quern_error* error);

/* Fills `error` with what `completion` says in words. Its code is returned. */
QUERN_API quern_code quern_completion_error(const quern_completion* completion,
                                            quern_error* error);

/* "0.1.0". */
QUERN_API const char* quern_version(void);

#ifdef __cplusplus
}
#endif

#endif /* QUERN_QUERN_H_ */
