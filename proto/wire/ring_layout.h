/* The ring: how a client hands launches to its executor through shared memory.
 * C, installed, versioned; the prose is in RING.md. Integers are in the host's
 * byte order: both ends are on one machine.
 *
 * One memfd, which the daemon made and sealed against shrinking and growing:
 * the header, then `slot_count` submission slots, then as many completion
 * slots. Launch number n (from 0) uses slot n modulo `slot_count` of both. It
 * is there when the slot's `sequence` is n + 1, modulo 2^32; so is its
 * completion. A client has at most `slot_count` launches outstanding, so that
 * no slot is written before it was read, and there are no head and tail.
 *
 * Both ends can write all of it. What an end decides on are its own copies.
 */
#ifndef QUERN_PROTO_WIRE_RING_LAYOUT_H_
#define QUERN_PROTO_WIRE_RING_LAYOUT_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "QUERNRNG", first byte first. */
#define QUERN_RING_MAGIC UINT64_C(0x474e524e52455551)
#define QUERN_RING_VERSION 1u
#define QUERN_RING_HEADER_SIZE 512u
/* Slots are a power of two, from 1. */
#define QUERN_RING_SLOTS_MAX 1024u
#define QUERN_RING_ARGUMENTS_MAX 128u

/* A pointer argument's word: a buffer's id above these bits, below them an
 * offset in bytes from its start. The word 0 is the null pointer. */
#define QUERN_RING_OFFSET_BITS 44
#define QUERN_RING_BUFFER_BITS 20

/* Values of `state`. */
enum quern_ring_state {
  QUERN_RING_RUNNING = 1,
  /* The ring was closed, or its session has ended. */
  QUERN_RING_CLOSED = 2,
  /* The executor ended, and why. No launch completes any more. */
  QUERN_RING_CRASHED = 3,          /* A signal: a bad pointer in most cases. */
  QUERN_RING_KILLED = 4,           /* From outside, or for want of memory. */
  QUERN_RING_OUT_OF_MEMORY = 5,    /* It needed more than it may have. */
  QUERN_RING_TIMED_OUT = 6,        /* A launch ran longer than it may. */
  QUERN_RING_FORBIDDEN_CALL = 7,   /* A system call that it may not make. */
  QUERN_RING_NOT_CONFINED = 8,     /* It could not enter its sandbox. */
  QUERN_RING_UNRESPONSIVE = 9,     /* It did not answer the daemon. */
  /* Never in the memory: a client says so whose daemon is gone. */
  QUERN_RING_DAEMON_GONE = 10
};

/* Values of a submission's `flags`, or-ed. */
/* Fill in `run_nanoseconds`; costs two readings of the clock. */
#define QUERN_RING_MEASURE 1u

/* Values of a completion's `status`. Nothing ran unless it is OK or
 * ASSERT_FAILED. */
enum quern_ring_status {
  QUERN_RING_OK = 0,
  /* `detail`: the assert's number, from 1. Programs may have run. */
  QUERN_RING_ASSERT_FAILED = 1,
  /* Unknown flags, or more arguments than a slot holds. */
  QUERN_RING_BAD_REQUEST = 2,
  /* No kernel of this session has the id. */
  QUERN_RING_BAD_KERNEL = 3,
  /* `detail`: how many arguments the kernel has. */
  QUERN_RING_BAD_ARGUMENT_COUNT = 4,
  /* 2^63 programs or more. */
  QUERN_RING_BAD_GRID = 5,
  /* No buffer of this session has the id. `detail`: the argument's number,
   * from 0. */
  QUERN_RING_BAD_BUFFER = 6,
  /* The offset is past the buffer's end. `detail`: the argument's number. */
  QUERN_RING_OUT_OF_RANGE = 7,
  /* No memory for the kernel's scratch. */
  QUERN_RING_NO_MEMORY = 8,
  /* Never in a slot: a client gives it to what was outstanding when the
   * executor ended. `detail`: the ring's state. */
  QUERN_RING_EXECUTOR_ENDED = 9
};

/* Each of the words below has a cache line of its own. */
struct quern_ring_header {
  uint64_t magic;
  uint32_t version;
  uint32_t slot_count;
  uint8_t reserved0[48];
  /* Set by the daemon, once, away from RUNNING. */
  uint32_t state;
  uint8_t reserved1[60];
  /* Not 0: the executor sleeps on this word and waits for a submission. */
  uint32_t executor_sleeps;
  uint8_t reserved2[60];
  /* Not 0: the client sleeps on this word and waits for a completion. */
  uint32_t client_sleeps;
  uint8_t reserved3[60];
  /* Set by the executor for the daemon's time limit: twice the number of
   * launches that ended, plus 1 while one runs. */
  uint64_t progress;
  uint8_t reserved4[56];
  uint8_t reserved5[192];
};

/* A launch with up to four arguments is one cache line. */
struct quern_ring_submission {
  uint32_t sequence; /* Written last. */
  uint32_t kernel;   /* An id that the daemon gave to this session. */
  uint64_t tag;      /* Comes back with the completion. */
  uint32_t grid[3];  /* Programs along x, y and z. */
  uint16_t argument_count;
  uint16_t flags;
  /* A scalar's value in the low bytes, or a pointer's word. */
  uint64_t arguments[QUERN_RING_ARGUMENTS_MAX];
  uint8_t reserved[32];
};

struct quern_ring_completion {
  uint32_t sequence; /* Written last. */
  uint32_t status;
  uint64_t tag;
  uint32_t detail;
  uint32_t reserved0;
  uint64_t run_nanoseconds; /* 0 unless QUERN_RING_MEASURE was set. */
  uint8_t reserved[32];
};

#ifdef __cplusplus
}  /* extern "C" */

static_assert(sizeof(quern_ring_header) == QUERN_RING_HEADER_SIZE);
static_assert(sizeof(quern_ring_submission) == 17 * 64);
static_assert(sizeof(quern_ring_completion) == 64);
#endif

#endif  /* QUERN_PROTO_WIRE_RING_LAYOUT_H_ */
