/* The kernel directory: the shared-memory table key -> (slab, page). C,
 * installed, versioned. All integers are little-endian.
 *
 * One memfd: this header, then `bucket_count` buckets of eight 64-bit words.
 * The daemon alone can write it; clients map it read-only.
 *
 * Word: 0 is empty; otherwise tag << 36 | slab << 16 | page.
 *  - tag (28 bits): key bytes 8..11 as an integer, its low 28 bits;
 *  - slab (20 bits, never 0): the slab's id, not reused in an incarnation;
 *  - page (16 bits): the image's offset in its slab / 4096.
 * Bucket of a key: key bytes 0..7 as an integer, modulo `bucket_count`.
 *
 * Publishing and withdrawing are one atomic store of a word (release), so no
 * reader and no crash ever sees half an entry. A reader loads the words of a
 * bucket (acquire), maps the slab of each whose tag agrees, and lets the key
 * in the image's header decide. A full bucket replaces its oldest word, so a
 * miss only means: ask by RPC.
 */
#ifndef QUERN_PROTO_WIRE_DIRECTORY_LAYOUT_H_
#define QUERN_PROTO_WIRE_DIRECTORY_LAYOUT_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "QUERNDIR", first byte first. */
#define QUERN_DIRECTORY_MAGIC UINT64_C(0x5249444e52455551)
#define QUERN_DIRECTORY_VERSION 1u
#define QUERN_DIRECTORY_HEADER_SIZE 4096u
#define QUERN_DIRECTORY_BUCKET_WORDS 8u
#define QUERN_DIRECTORY_TARGET_SIZE_MAX 3968u

#define QUERN_DIRECTORY_PAGE_SHIFT 0
#define QUERN_DIRECTORY_PAGE_BITS 16
#define QUERN_DIRECTORY_SLAB_SHIFT 16
#define QUERN_DIRECTORY_SLAB_BITS 20
#define QUERN_DIRECTORY_TAG_SHIFT 36
#define QUERN_DIRECTORY_TAG_BITS 28

struct quern_directory_header {
  uint64_t magic;
  uint32_t version;
  /* A power of two. */
  uint32_t bucket_count;
  /* Differs for each run of a daemon; slab ids are unique within it. */
  uint64_t incarnation;
  /* 0 until the compile zygote has reported: `build_id` and `target` are not
   * yet valid. Stored with release after them; pairs with an acquire. */
  uint32_t ready;
  /* Bytes of `target` in use. */
  uint32_t target_size_bytes;
  uint8_t reserved[64];
  /* Of the compiler; part of every key. */
  uint8_t build_id[32];
  /* What "host" means in a compile spec: the canonical bytes of the target
   * (compile_spec.h). */
  char target[QUERN_DIRECTORY_TARGET_SIZE_MAX];
};

#ifdef __cplusplus
}  /* extern "C" */

static_assert(sizeof(quern_directory_header) == QUERN_DIRECTORY_HEADER_SIZE);
#endif

#endif  /* QUERN_PROTO_WIRE_DIRECTORY_LAYOUT_H_ */
