// HTTP/2 by nghttp2 over a blocking Unix socket.
#include "client/rpc/http2_connection.h"

#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/runtime/stopwatch.h"
#include "proto/wire/status.h"
#include "proto/wire/unique_fd.h"
#include "proto/wire/unix_socket.h"

namespace quern {
namespace {

// Replies may be as large as a message may be, without waiting for us.
constexpr int32_t kWindowSizeBytes = 32 << 20;
constexpr size_t kReadSizeBytes = 64 << 10;

// The request that is under way.
struct Exchange {
  int32_t stream_id = -1;
  absl::string_view unsent;  // Of the request's body.
  Http2Connection::OnData* on_data = nullptr;
  Http2Response response;
  absl::Status failure;
  bool closed = false;
};

class Nghttp2Connection final : public Http2Connection {
 public:
  explicit Nghttp2Connection(UniqueFd socket) : socket_(std::move(socket)) {}

  ~Nghttp2Connection() override { nghttp2_session_del(session_); }

  absl::Status Open() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks,
                                                              OnChunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnClose);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, OnFrame);
    const int result = nghttp2_session_client_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    if (result != 0) return absl::ResourceExhaustedError("no memory");
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindowSizeBytes}};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings,
                            std::size(settings));
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                          kWindowSizeBytes);
    return absl::OkStatus();
  }

  absl::StatusOr<Http2Response> Send(const Http2Request& request,
                                     absl::Duration timeout,
                                     OnData on_data) override {
    exchange_ = Exchange{.unsent = request.body, .on_data = &on_data};
    QUERN_RETURN_IF_ERROR(Submit(request));
    const Stopwatch waited;
    while (!exchange_.closed) {
      QUERN_RETURN_IF_ERROR(Progress(timeout - waited.elapsed()));
    }
    if (!exchange_.failure.ok()) return exchange_.failure;
    return std::move(exchange_.response);
  }

  bool Stale() override {
    char byte;
    const ssize_t size =
        ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (size == 0 || going_away_) return true;
    return size < 0 && errno != EAGAIN && errno != EWOULDBLOCK;
  }

 private:
  absl::Status Submit(const Http2Request& request) {
    std::vector<nghttp2_nv> fields = {
        Field(":method", "POST"), Field(":scheme", "http"),
        Field(":path", request.path), Field(":authority", "localhost")};
    for (const auto& [name, value] : request.headers) {
      fields.push_back(Field(name, value));
    }
    nghttp2_data_provider body = {.source = {.ptr = this},
                                  .read_callback = ReadBody};
    exchange_.stream_id = nghttp2_submit_request(
        session_, nullptr, fields.data(), fields.size(), &body, nullptr);
    if (exchange_.stream_id < 0) {
      return absl::UnavailableError("the connection takes no more requests");
    }
    return absl::OkStatus();
  }

  static nghttp2_nv Field(absl::string_view name, absl::string_view value) {
    const auto bytes = [](absl::string_view text) {
      return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
    };
    return {bytes(name), bytes(value), name.size(), value.size(),
            NGHTTP2_NV_FLAG_NONE};
  }

  // Writes what is to be written, then waits for something to read.
  absl::Status Progress(absl::Duration left) {
    if (pending_.empty()) {
      const uint8_t* data = nullptr;
      const ssize_t size = nghttp2_session_mem_send(session_, &data);
      if (size < 0) return absl::InternalError("HTTP/2: cannot send");
      pending_.assign(reinterpret_cast<const char*>(data), size);
    }
    const bool writing = !pending_.empty();
    pollfd event = {
        .fd = socket_.get(),
        .events = static_cast<short>(writing ? POLLIN | POLLOUT : POLLIN),
        .revents = 0};
    if (left <= absl::ZeroDuration()) return Expired();
    const timespec timeout = absl::ToTimespec(std::min(left, absl::Hours(1)));
    const int ready = ::ppoll(&event, 1, &timeout, nullptr);
    if (ready < 0 && errno != EINTR) return ErrnoStatus(errno, "poll");
    if (ready <= 0) return absl::OkStatus();  // The next round sees the time.
    if ((event.revents & POLLOUT) != 0) QUERN_RETURN_IF_ERROR(Write());
    if ((event.revents & (POLLIN | POLLHUP | POLLERR)) != 0) return Read();
    return absl::OkStatus();
  }

  static absl::Status Expired() {
    return absl::DeadlineExceededError("the daemon did not answer in time");
  }

  absl::Status Write() {
    const ssize_t size = ::send(socket_.get(), pending_.data(), pending_.size(),
                                MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0 && errno != EAGAIN && errno != EINTR) return Broken();
    if (size > 0) pending_.erase(0, static_cast<size_t>(size));
    return absl::OkStatus();
  }

  absl::Status Read() {
    char buffer[kReadSizeBytes];
    const ssize_t size =
        ::recv(socket_.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
    if (size == 0) return Broken();
    if (size < 0) {
      return errno == EAGAIN || errno == EINTR ? absl::OkStatus() : Broken();
    }
    const ssize_t used = nghttp2_session_mem_recv(
        session_, reinterpret_cast<const uint8_t*>(buffer),
        static_cast<size_t>(size));
    if (used < 0) {
      return absl::DataLossError(
          absl::StrCat("HTTP/2: ", nghttp2_strerror(static_cast<int>(used))));
    }
    return absl::OkStatus();
  }

  static absl::Status Broken() {
    return absl::UnavailableError("the daemon closed the connection");
  }

  static Nghttp2Connection& Self(void* user_data) {
    return *static_cast<Nghttp2Connection*>(user_data);
  }

  static ssize_t ReadBody(nghttp2_session*, int32_t, uint8_t* buffer,
                          size_t room, uint32_t* flags,
                          nghttp2_data_source* source, void*) {
    absl::string_view& unsent = Self(source->ptr).exchange_.unsent;
    const size_t size = std::min(room, unsent.size());
    std::memcpy(buffer, unsent.data(), size);
    unsent.remove_prefix(size);
    if (unsent.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(size);
  }

  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame,
                      const uint8_t* name, size_t name_size,
                      const uint8_t* value, size_t value_size, uint8_t,
                      void* user_data) {
    Exchange& exchange = Self(user_data).exchange_;
    if (frame->hd.stream_id != exchange.stream_id) return 0;
    std::string key(reinterpret_cast<const char*>(name), name_size);
    std::string text(reinterpret_cast<const char*>(value), value_size);
    if (key == ":status") {
      // A status that is no number stays 0, which no caller takes for good.
      if (!absl::SimpleAtoi(text, &exchange.response.status)) {
        exchange.response.status = 0;
      }
      return 0;
    }
    exchange.response.trailers.emplace_back(std::move(key), std::move(text));
    return 0;
  }

  static int OnChunk(nghttp2_session* session, uint8_t, int32_t stream_id,
                     const uint8_t* data, size_t size, void* user_data) {
    Exchange& exchange = Self(user_data).exchange_;
    if (stream_id != exchange.stream_id || !exchange.failure.ok()) return 0;
    if (!(*exchange.on_data)({reinterpret_cast<const char*>(data), size})) {
      exchange.failure =
          absl::ResourceExhaustedError("the daemon's answer is too large");
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream_id,
                                NGHTTP2_CANCEL);
    }
    return 0;
  }

  static int OnClose(nghttp2_session*, int32_t stream_id, uint32_t error_code,
                     void* user_data) {
    Exchange& exchange = Self(user_data).exchange_;
    if (stream_id != exchange.stream_id) return 0;
    exchange.closed = true;
    if (error_code != NGHTTP2_NO_ERROR && exchange.failure.ok()) {
      exchange.failure = absl::UnavailableError(absl::StrCat(
          "the daemon reset the call: ", nghttp2_http2_strerror(error_code)));
    }
    return 0;
  }

  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame,
                     void* user_data) {
    if (frame->hd.type == NGHTTP2_GOAWAY) Self(user_data).going_away_ = true;
    return 0;
  }

  const UniqueFd socket_;
  nghttp2_session* session_ = nullptr;
  std::string pending_;  // Bytes that the socket has not taken yet.
  Exchange exchange_;
  bool going_away_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Http2Connection>> ConnectHttp2(
    const std::string& path) {
  QUERN_ASSIGN_OR_RETURN(UniqueFd socket, ConnectUnixSocket(path, SOCK_STREAM));
  auto connection = std::make_unique<Nghttp2Connection>(std::move(socket));
  QUERN_RETURN_IF_ERROR(connection->Open());
  return connection;
}

}  // namespace quern
