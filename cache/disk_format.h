/* One kernel on disk: layout of an entry's header. The prose is in FORMAT.md.
 * All integers are little-endian.
 *
 * An entry is a file: this header, the kernel image, the compressed source.
 */
#ifndef QUERN_CACHE_DISK_FORMAT_H_
#define QUERN_CACHE_DISK_FORMAT_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "QUERNDSK", first byte first. */
#define QUERN_DISK_MAGIC UINT64_C(0x4b53444e52455551)
#define QUERN_DISK_FORMAT_VERSION 1u

/* Where the image begins, from the file's first byte. */
#define QUERN_DISK_HEADER_SIZE 128u

struct quern_disk_header {
  uint64_t magic;
  uint32_t format_version;
  uint32_t reserved0; /* Zero. */
  uint64_t image_size_bytes;
  uint64_t source_size_bytes; /* As in the file; 0: there is no source. */
  uint64_t spec_size_bytes;   /* Of the canonical bytes, decompressed. */
  uint8_t key[32];            /* Of the kernel; also in the file's name. */
  /* Of this header with these 32 bytes zero, the image's header, and the
   * compressed source. */
  uint8_t sha256[32];
  uint8_t reserved[24]; /* Zero. */
};

#ifdef __cplusplus
} /* extern "C" */

static_assert(sizeof(quern_disk_header) == QUERN_DISK_HEADER_SIZE);
#endif

#endif /* QUERN_CACHE_DISK_FORMAT_H_ */
