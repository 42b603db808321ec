/* The kernel image: layout of its header. C, installed, versioned; the prose
 * is in IMAGE.md. All integers are little-endian.
 *
 * An image is one closed block of bytes: this header, then code, constants and
 * side tables. It holds no relocation and imports nothing: copied to any
 * address that is a multiple of QUERN_IMAGE_ALIGNMENT it is ready to run.
 */
#ifndef QUERN_PROTO_WIRE_IMAGE_FORMAT_H_
#define QUERN_PROTO_WIRE_IMAGE_FORMAT_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "QUERNIMG", first byte first. */
#define QUERN_IMAGE_MAGIC UINT64_C(0x474d494e52455551)
#define QUERN_IMAGE_FORMAT_VERSION 1u

/* Where an image may be placed, in bytes. */
#define QUERN_IMAGE_ALIGNMENT 4096u

/* Where its code begins, from the image's first byte. */
#define QUERN_IMAGE_HEADER_SIZE 512u

/* The largest image, in bytes: 4 MiB. */
#define QUERN_IMAGE_SIZE_MAX (UINT64_C(4) << 20)

/* The largest scratch of one worker thread, in bytes: 64 MiB. */
#define QUERN_SCRATCH_SIZE_MAX (UINT64_C(64) << 20)

/* Values of `machine`: those of ELF's e_machine. */
#define QUERN_MACHINE_X86_64 62u
#define QUERN_MACHINE_AARCH64 183u

/* Values of `argument_kinds`: how the low bytes of a slot are read. */
enum quern_argument_kind {
  QUERN_ARGUMENT_NONE = 0,
  QUERN_ARGUMENT_POINTER = 1,
  QUERN_ARGUMENT_I1 = 2,
  QUERN_ARGUMENT_I8 = 3,
  QUERN_ARGUMENT_I16 = 4,
  QUERN_ARGUMENT_I32 = 5,
  QUERN_ARGUMENT_I64 = 6,
  QUERN_ARGUMENT_F16 = 7,
  QUERN_ARGUMENT_BF16 = 8,
  QUERN_ARGUMENT_F32 = 9,
  QUERN_ARGUMENT_F64 = 10
};

/* Values of `flags`, or-ed. */
/* The kernel calls quern_services, so that `launch->services` must be set. */
#define QUERN_IMAGE_NEEDS_SERVICES 1u

/* A range of bytes of the image, counted from its first byte. */
struct quern_image_range {
  uint32_t offset;
  uint32_t size_bytes;
};

struct quern_image_header {
  uint64_t magic;
  uint32_t format_version;
  uint32_t abi_version;        /* QUERN_KERNEL_ABI_VERSION of the code. */
  uint64_t image_size_bytes;   /* Header included. */
  uint64_t scratch_size_bytes; /* For each worker thread; may be 0. */
  uint32_t machine;
  uint32_t vector_length_bytes; /* 0: the code does not depend on it. */
  uint32_t flags;
  uint32_t argument_count;
  uint32_t entry_offset; /* Of quern_entry, in bytes from the image's start. */
  uint32_t reserved0;
  struct quern_image_range code;
  struct quern_image_range constants;
  struct quern_image_range features; /* "avx2,fma,...": sorted, no signs. */
  struct quern_image_range name;     /* The kernel's name, UTF-8. */
  struct quern_image_range asserts;  /* Messages, each ended by a zero byte. */
  struct quern_image_range lines;    /* Line table; empty in this version. */
  uint8_t key[32];                   /* Of the compile spec. */
  uint8_t sha256[32];                /* Of the image, these 32 bytes zero. */
  uint8_t argument_kinds[128];
  uint8_t reserved[216];             /* Zero. */
};

#ifdef __cplusplus
}  /* extern "C" */

static_assert(sizeof(quern_image_header) == QUERN_IMAGE_HEADER_SIZE);
#endif

#endif  /* QUERN_PROTO_WIRE_IMAGE_FORMAT_H_ */
