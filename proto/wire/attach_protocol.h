/* The attach protocol: how a client process gets descriptors from the daemon.
 * C, installed, versioned; the prose is in ATTACH.md.
 *
 * Transport: a SOCK_SEQPACKET Unix socket; every packet is one of the fixed
 * messages below; descriptors travel by SCM_RIGHTS, at most one a packet and
 * only from the daemon to the client. The client sends a request and waits for
 * its answer; a RETIRED event may arrive before it. Integers are in the host's
 * byte order: both ends are on one machine.
 */
#ifndef QUERN_PROTO_WIRE_ATTACH_PROTOCOL_H_
#define QUERN_PROTO_WIRE_ATTACH_PROTOCOL_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "QRN1", first byte first. */
#define QUERN_ATTACH_MAGIC 0x314e5251u
#define QUERN_ATTACH_VERSION 2u

enum quern_attach_type {
  /* Client to daemon. `argument` of HELLO: 0; of GET_SLAB: the slab's id; of
   * BYE: 0. */
  QUERN_ATTACH_HELLO = 1,
  QUERN_ATTACH_GET_SLAB = 2,
  QUERN_ATTACH_BYE = 3,
  /* For served launches (RING.md). LOAD_KERNEL is a quern_attach_load_request;
   * `argument` of UNLOAD_KERNEL: the kernel's id; of ALLOC_BUFFER: its size in
   * bytes; of FREE_BUFFER: the buffer's id; of OPEN_RING: its number of slots;
   * of CLOSE_RING: the ring's id. */
  QUERN_ATTACH_LOAD_KERNEL = 4,
  QUERN_ATTACH_UNLOAD_KERNEL = 5,
  QUERN_ATTACH_ALLOC_BUFFER = 6,
  QUERN_ATTACH_FREE_BUFFER = 7,
  QUERN_ATTACH_OPEN_RING = 8,
  QUERN_ATTACH_CLOSE_RING = 9,
  /* Daemon to client: the answers. WELCOME carries the directory's
   * descriptor, SLAB the slab's, BUFFER and RING those of their memory, to be
   * mapped for reading and writing. KERNEL, DONE and REFUSED carry none. */
  QUERN_ATTACH_WELCOME = 65,
  QUERN_ATTACH_SLAB = 66,
  QUERN_ATTACH_REFUSED = 67,
  QUERN_ATTACH_KERNEL = 68,
  QUERN_ATTACH_BUFFER = 69,
  QUERN_ATTACH_RING = 70,
  QUERN_ATTACH_DONE = 71,
  /* Daemon to client, unasked: the slab's kernels left the directory. Unmap
   * it once no handle is held in it. */
  QUERN_ATTACH_RETIRED = 129
};

struct quern_attach_request {
  uint32_t magic;
  uint32_t version; /* QUERN_ATTACH_VERSION of the client. */
  uint32_t type;
  uint32_t reserved; /* Zero. */
  uint64_t argument;
  uint64_t reserved1; /* Zero. */
};

/* LOAD_KERNEL: the request, with the key of the kernel's compile spec. */
struct quern_attach_load_request {
  struct quern_attach_request request; /* `argument`: 0. */
  uint8_t key[32];
};

struct quern_attach_reply {
  uint32_t magic;
  uint32_t version; /* QUERN_ATTACH_VERSION of the daemon. */
  uint32_t type;
  /* REFUSED: a canonical status code (google.rpc.Code). Otherwise 0. */
  uint32_t status;
  /* WELCOME: the incarnation. SLAB, RETIRED: the slab's id. KERNEL, BUFFER,
   * RING: its id. */
  uint64_t value;
  /* WELCOME, SLAB, BUFFER, RING: the size of what the descriptor names, in
   * bytes. KERNEL: how many arguments the kernel takes. */
  uint64_t size_bytes;
  /* WELCOME: names the session in RPC metadata `quern-session`, as 32
   * lower-case hexadecimal digits. */
  uint8_t session_token[16];
  /* REFUSED: why, ended by a zero byte. No internal name is in it. */
  char message[80];
};

#ifdef __cplusplus
}  /* extern "C" */

static_assert(sizeof(quern_attach_request) == 32);
static_assert(sizeof(quern_attach_load_request) == 64);
static_assert(sizeof(quern_attach_reply) == 128);
#endif

#endif  /* QUERN_PROTO_WIRE_ATTACH_PROTOCOL_H_ */
