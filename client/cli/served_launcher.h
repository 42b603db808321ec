// One kernel launched again and again through a ring, for the command line.
#ifndef QUERN_CLIENT_CLI_SERVED_LAUNCHER_H_
#define QUERN_CLIENT_CLI_SERVED_LAUNCHER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/argument_values.h"
#include "client/library/client.h"

namespace quern {

class ServedLauncher final {
 public:
  // Opens a session and a ring, which starts an executor, and copies `arrays`
  // into buffers, which then take the places of their arguments in `slots`.
  // `arrays` must outlive the result.
  //
  // Errors: those of ServedClient.
  static absl::StatusOr<std::unique_ptr<ServedLauncher>> Open(
      Client& client, const KernelKey& key, const Grid& grid,
      std::vector<uint64_t> slots, std::span<const ArgumentArray> arrays);

  // Launches once and waits for the end. Errors: those of the completion.
  absl::Status Launch();

  // Launches `count` times, in as large batches as the ring takes.
  absl::Status LaunchMany(uint32_t count);

  // Copies the buffers of arrays that are to be written back into them.
  void CopyBack() const;

 private:
  struct Copy {
    const ArgumentArray* array;
    std::unique_ptr<ServedBuffer> buffer;
  };

  absl::Status Fill(std::span<const ArgumentArray> arrays);
  absl::StatusOr<size_t> Wait();

  std::unique_ptr<ServedClient> client_;
  std::unique_ptr<ServedRing> ring_;
  std::vector<Copy> copies_;
  std::vector<uint64_t> words_;
  std::vector<RingLaunch> batch_;
};

}  // namespace quern

#endif  // QUERN_CLIENT_CLI_SERVED_LAUNCHER_H_
