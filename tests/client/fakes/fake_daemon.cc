// The stand-in daemon.
#include "tests/client/fakes/fake_daemon.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "proto/wire/directory_layout.h"
#include "proto/wire/image.h"
#include "proto/wire/kernel_abi.h"

namespace quern {

std::string CodeReturningEnd() {
#if defined(__x86_64__)
  return {"\x89\xd0\xc3", 3};  // mov %edx, %eax; ret
#else
  return {"\xe0\x03\x02\x2a\xc0\x03\x5f\xd6", 8};  // mov w0, w2; ret
#endif
}

std::string CodeReturningZero() {
#if defined(__x86_64__)
  return {"\x31\xc0\xc3", 3};  // xor %eax, %eax; ret
#else
  return {"\xe0\x03\x1f\x2a\xc0\x03\x5f\xd6", 8};  // mov w0, wzr; ret
#endif
}

std::string TestImage(const KernelKey& key, const std::string& code,
                      uint32_t argument_count,
                      const std::function<void(quern_image_header&)>& change) {
  static constexpr char kTables[] = "kernel\0first\0second";
  quern_image_header header;
  std::memset(&header, 0, sizeof(header));
  header.magic = QUERN_IMAGE_MAGIC;
  header.format_version = QUERN_IMAGE_FORMAT_VERSION;
  header.abi_version = QUERN_KERNEL_ABI_VERSION;
#if defined(__x86_64__)
  header.machine = QUERN_MACHINE_X86_64;
#else
  header.machine = QUERN_MACHINE_AARCH64;
#endif
  header.argument_count = argument_count;
  for (uint32_t i = 0; i < argument_count; ++i) {
    header.argument_kinds[i] = QUERN_ARGUMENT_I64;
  }
  header.entry_offset = QUERN_IMAGE_HEADER_SIZE;
  header.code = {QUERN_IMAGE_HEADER_SIZE, static_cast<uint32_t>(code.size())};
  const uint32_t tables = header.code.offset + header.code.size_bytes;
  header.name = {tables, 6};
  header.asserts = {tables + 7, sizeof(kTables) - 7};
  header.image_size_bytes = tables + sizeof(kTables);
  std::copy(key.bytes.begin(), key.bytes.end(), header.key);
  if (change) change(header);
  std::string image(QUERN_IMAGE_HEADER_SIZE, '\0');
  image += code;
  image.append(kTables, sizeof(kTables));
  std::memcpy(image.data(), &header, sizeof(header));
  const auto digest = ImageDigest(image);
  std::memcpy(image.data() + offsetof(quern_image_header, sha256),
              digest.data(), digest.size());
  return image;
}

FakeDaemon::Reply MakeReply(uint32_t type, uint64_t value) {
  FakeDaemon::Reply reply;
  std::memset(&reply.message, 0, sizeof(reply.message));
  reply.message.magic = QUERN_ATTACH_MAGIC;
  reply.message.version = QUERN_ATTACH_VERSION;
  reply.message.type = type;
  reply.message.value = value;
  return reply;
}

FakeDaemon::FakeDaemon() {
  char folder[] = "/tmp/quern-fake-daemon-XXXXXX";
  folder_ = ::mkdtemp(folder);
  path_ = folder_ + "/attach.sock";
  answer_ = [this](const auto& request) { return GoodAnswer(request); };

  const size_t directory_size =
      QUERN_DIRECTORY_HEADER_SIZE +
      kBuckets * QUERN_DIRECTORY_BUCKET_WORDS * sizeof(uint64_t);
  directory_fd_ = *CreateSealedMemory("fake-directory", directory_size);
  directory_ = *SharedRegion::Map(directory_fd_.get(), directory_size,
                                  Access::kReadWrite);
  auto* header = reinterpret_cast<quern_directory_header*>(directory_.data());
  header->magic = QUERN_DIRECTORY_MAGIC;
  header->version = QUERN_DIRECTORY_VERSION;
  header->bucket_count = kBuckets;
  slab_fd_ = *CreateSealedMemory("fake-slab", kSlabSizeBytes);
  slab_ =
      *SharedRegion::Map(slab_fd_.get(), kSlabSizeBytes, Access::kReadWrite);

  listener_.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path_.c_str());
  int ends[2];
  if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address),
             sizeof(address)) != 0 ||
      ::listen(listener_.get(), 8) != 0 || ::pipe(ends) != 0) {
    std::abort();
  }
  stop_read_.reset(ends[0]);
  stop_write_.reset(ends[1]);
  thread_ = std::thread([this] { Serve(); });
}

FakeDaemon::~FakeDaemon() {
  stop_write_.reset();
  thread_.join();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::vector<FakeDaemon::Reply> FakeDaemon::GoodAnswer(
    const quern_attach_request& request) {
  if (request.type == QUERN_ATTACH_HELLO) {
    Reply reply = MakeReply(QUERN_ATTACH_WELCOME, 77);
    reply.message.size_bytes = directory_.size_bytes();
    for (int i = 0; i < 16; ++i) {
      reply.message.session_token[i] = static_cast<uint8_t>(i);
    }
    reply.fd = directory_fd_.get();
    return {reply};
  }
  if (request.type == QUERN_ATTACH_GET_SLAB && request.argument == kSlab) {
    Reply reply = MakeReply(QUERN_ATTACH_SLAB, kSlab);
    reply.message.size_bytes = kSlabSizeBytes;
    reply.fd = slab_fd_.get();
    return {reply};
  }
  Reply reply = MakeReply(QUERN_ATTACH_REFUSED, 0);
  reply.message.status = 5;  // NOT_FOUND.
  std::strcpy(reply.message.message, "no such slab");
  return {reply};
}

void FakeDaemon::AddImage(const KernelKey& key, uint32_t page,
                          const std::string& image, bool publish) {
  std::memcpy(slab_.data() + page * QUERN_IMAGE_ALIGNMENT, image.data(),
              image.size());
  if (!publish) return;
  auto* words = reinterpret_cast<uint64_t*>(directory_.data() +
                                            QUERN_DIRECTORY_HEADER_SIZE);
  uint64_t* word = words + FirstWordOf(key, kBuckets);
  while (*word != 0) ++word;
  __atomic_store_n(word, MakeWord(key, {.slab = kSlab, .page = page}),
                   __ATOMIC_RELEASE);
}

void FakeDaemon::Serve() {
  while (true) {
    pollfd events[] = {{listener_.get(), POLLIN, 0},
                       {stop_read_.get(), POLLIN, 0}};
    ::poll(events, 2, -1);
    if (events[1].revents != 0) return;
    const UniqueFd client(::accept(listener_.get(), nullptr, nullptr));
    if (client.valid()) ServeClient(client.get());
  }
}

void FakeDaemon::ServeClient(int client) {
  while (true) {
    pollfd events[] = {{client, POLLIN, 0}, {stop_read_.get(), POLLIN, 0}};
    ::poll(events, 2, -1);
    if (events[1].revents != 0) return;
    quern_attach_request request;
    if (::recv(client, &request, sizeof(request), 0) !=
        static_cast<ssize_t>(sizeof(request))) {
      return;
    }
    ++counts_[request.type % 256];
    for (const Reply& reply : answer_(request)) {
      if (reply.hang_up) return;
      iovec part = {const_cast<quern_attach_reply*>(&reply.message),
                    reply.size_bytes};
      alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
      msghdr message = {};
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      if (reply.fd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof(control);
        cmsghdr* rights = CMSG_FIRSTHDR(&message);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(rights), &reply.fd, sizeof(int));
      }
      ::sendmsg(client, &message, MSG_NOSIGNAL);
    }
  }
}

}  // namespace quern
