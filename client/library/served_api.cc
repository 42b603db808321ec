// The C ABI of served launches.
#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "client/include/quern/quern.h"
#include "client/library/c_api_support.h"
#include "client/runtime/served_client.h"

struct quern_session {
  std::unique_ptr<quern::ServedClient> client;
};

struct quern_buffer {
  std::unique_ptr<quern::ServedBuffer> buffer;
};

struct quern_ring {
  std::unique_ptr<quern::ServedRing> ring;
};

namespace quern {
namespace {

static_assert(QUERN_SERVED_MEASURE == QUERN_RING_MEASURE);

// Launches and completions cross the ABI by so many at a time.
constexpr size_t kBatch = 16;

absl::StatusOr<RingLaunch> LaunchOf(const quern_served_launch& given) {
  if ((given.flags & ~QUERN_SERVED_MEASURE) != 0 || given.reserved != 0) {
    return absl::InvalidArgumentError("unknown flags, or a reserved field set");
  }
  return RingLaunch{.tag = given.tag,
                    .kernel = given.kernel,
                    .grid = {given.grid.x, std::max(given.grid.y, 1u),
                             std::max(given.grid.z, 1u)},
                    .flags = static_cast<uint16_t>(given.flags),
                    .arguments = {given.args, given.argument_count}};
}

// A completion that is OK makes no status, which could allocate.
quern_code CodeOf(const quern_ring_completion& completion) {
  if (completion.status == QUERN_RING_OK) return QUERN_OK;
  return static_cast<quern_code>(StatusOf(completion).code());
}

quern_completion CompletionOf(const quern_ring_completion& completion) {
  return {.tag = completion.tag,
          .code = CodeOf(completion),
          .status = completion.status,
          .detail = completion.detail,
          .reserved = 0,
          .run_nanoseconds = completion.run_nanoseconds};
}

absl::Status Submit(ServedRing& ring, const quern_served_launch* launches,
                    size_t count, size_t* submitted) {
  std::array<RingLaunch, kBatch> batch;
  absl::Status wrong;
  while (*submitted < count && wrong.ok()) {
    size_t size = 0;
    for (; size < std::min(kBatch, count - *submitted); ++size) {
      absl::StatusOr<RingLaunch> launch = LaunchOf(launches[*submitted + size]);
      wrong = launch.status();
      if (wrong.ok() && launch->arguments.size() > QUERN_RING_ARGUMENTS_MAX) {
        wrong =
            absl::InvalidArgumentError("a launch has at most 128 arguments");
      }
      if (!wrong.ok()) break;
      batch[size] = *launch;
    }
    const absl::StatusOr<size_t> taken = ring.Submit({batch.data(), size});
    if (!taken.ok()) return taken.status();
    *submitted += *taken;
    if (*taken < size) return absl::OkStatus();
  }
  return wrong;
}

}  // namespace
}  // namespace quern

quern_code quern_session_create(quern_client* client, quern_session** session,
                                quern_error* error) {
  absl::StatusOr<std::unique_ptr<quern::ServedClient>> created =
      client->client->NewServedClient();
  if (created.ok()) *session = new quern_session{*std::move(created)};
  return quern::Report(created.status(), error);
}

void quern_session_destroy(quern_session* session) { delete session; }

quern_code quern_session_load(quern_session* session, const uint8_t key[32],
                              uint32_t* kernel, quern_error* error) {
  quern::KernelKey wanted;
  std::memcpy(wanted.bytes.data(), key, wanted.bytes.size());
  const absl::StatusOr<uint32_t> id = session->client->LoadKernel(wanted);
  if (id.ok()) *kernel = *id;
  return quern::Report(id.status(), error);
}

quern_code quern_session_unload(quern_session* session, uint32_t kernel,
                                quern_error* error) {
  return quern::Report(session->client->UnloadKernel(kernel), error);
}

quern_code quern_buffer_create(quern_session* session, uint64_t size_bytes,
                               quern_buffer** buffer, quern_error* error) {
  absl::StatusOr<std::unique_ptr<quern::ServedBuffer>> created =
      session->client->AllocateBuffer(size_bytes);
  if (created.ok()) *buffer = new quern_buffer{*std::move(created)};
  return quern::Report(created.status(), error);
}

void quern_buffer_destroy(quern_buffer* buffer) { delete buffer; }

void* quern_buffer_data(const quern_buffer* buffer) {
  return buffer->buffer->data();
}

uint64_t quern_buffer_size(const quern_buffer* buffer) {
  return buffer->buffer->size_bytes();
}

uint64_t quern_buffer_argument(const quern_buffer* buffer,
                               uint64_t offset_bytes) {
  return buffer->buffer->Argument(offset_bytes);
}

quern_code quern_ring_create(quern_session* session, uint32_t slots,
                             quern_ring** ring, quern_error* error) {
  absl::StatusOr<std::unique_ptr<quern::ServedRing>> created =
      session->client->OpenRing(slots);
  if (created.ok()) *ring = new quern_ring{*std::move(created)};
  return quern::Report(created.status(), error);
}

void quern_ring_destroy(quern_ring* ring) { delete ring; }

quern_code quern_ring_submit(quern_ring* ring,
                             const quern_served_launch* launches, size_t count,
                             size_t* submitted, quern_error* error) {
  *submitted = 0;
  return quern::Report(quern::Submit(*ring->ring, launches, count, submitted),
                       error);
}

quern_code quern_ring_wait(quern_ring* ring, quern_completion* completions,
                           size_t count_max, uint32_t timeout_ms, size_t* count,
                           quern_error* error) {
  std::array<quern_ring_completion, quern::kBatch> batch;
  *count = 0;
  // Only the first batch is waited for.
  absl::Duration timeout = absl::Milliseconds(timeout_ms);
  while (*count < count_max) {
    const size_t wanted = std::min(batch.size(), count_max - *count);
    const absl::StatusOr<size_t> taken =
        *count == 0 ? ring->ring->Wait({batch.data(), wanted}, timeout)
                    : ring->ring->Take({batch.data(), wanted});
    if (!taken.ok()) return quern::Report(taken.status(), error);
    for (size_t i = 0; i < *taken; ++i) {
      completions[(*count)++] = quern::CompletionOf(batch[i]);
    }
    if (*taken < wanted) break;
  }
  return QUERN_OK;
}

quern_code quern_completion_error(const quern_completion* completion,
                                  quern_error* error) {
  return quern::Report(quern::StatusOf({.sequence = 0,
                                        .status = completion->status,
                                        .tag = completion->tag,
                                        .detail = completion->detail}),
                       error);
}
