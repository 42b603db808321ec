// Rings whose memory somebody else overwrites while both ends use them: ten
// million random writes into every word that there is.
#include <atomic>
#include <cstdint>
#include <cstring>
#include <random>
#include <thread>

#include "gtest/gtest.h"
#include "proto/wire/ring.h"

namespace quern {
namespace {

constexpr uint64_t kWrites = 10'000'000;
constexpr uint32_t kSlots = 8;

SharedRegion MapRing(const RingOwner& owner) {
  return *SharedRegion::Map(owner.fd(), owner.size_bytes(), Access::kReadWrite);
}

// Overwrites the ring: one word anywhere, or one that an end decides on, with
// a value that may just be right.
class Attacker final {
 public:
  explicit Attacker(SharedRegion region)
      : region_(std::move(region)),
        header_(*reinterpret_cast<quern_ring_header*>(region_.data())),
        submissions_(reinterpret_cast<quern_ring_submission*>(
            region_.data() + QUERN_RING_HEADER_SIZE)),
        completions_(
            reinterpret_cast<quern_ring_completion*>(submissions_ + kSlots)) {}

  void WriteOnce() {
    const uint64_t value = random_();
    const uint64_t slot = value % kSlots;
    const auto word = static_cast<uint32_t>(value >> 32);
    switch (value >> 8 & 7) {
      case 0:
        return Put(submissions_[slot].sequence, Plausible(word));
      case 1:
        return Put(completions_[slot].sequence, Plausible(word));
      case 2:
        return Put(submissions_[slot].argument_count,
                   static_cast<uint16_t>(word));
      case 3:
        return Put(header_.state, word % 4);
      case 4:
        return Put(
            word % 2 != 0 ? header_.client_sleeps : header_.executor_sleeps,
            word >> 1 & 1);
      case 5:
        return Put(header_.slot_count, word);
      default:
        auto* words = reinterpret_cast<uint32_t*>(region_.data());
        return Put(words[value % (region_.size_bytes() / 4)], word);
    }
  }

  // Where the executor has come to, so that sequences can hit.
  std::atomic<uint32_t> near = 0;

 private:
  template <typename T>
  static void Put(T& place, T value) {
    std::atomic_ref(place).store(value, std::memory_order_relaxed);
  }

  uint32_t Plausible(uint32_t word) const {
    return near.load(std::memory_order_relaxed) + word % (2 * kSlots);
  }

  SharedRegion region_;
  quern_ring_header& header_;
  quern_ring_submission* submissions_;
  quern_ring_completion* completions_;
  std::mt19937_64 random_{20261124};
};

// Writes as often as it should, and on until the other end is `reached`: on a
// busy machine that may not have had its turn.
void Attack(Attacker& attacker, const std::atomic<bool>& reached,
            std::atomic<bool>& done) {
  for (uint64_t i = 0; i < kWrites || !reached.load(); ++i) {
    attacker.WriteOnce();
  }
  done.store(true);
}

TEST(RingHostileTest, TenMillionWritesIntoAnExecutorsRing) {
  RingOwner owner = *RingOwner::Create(kSlots);
  RingExecutor executor = *RingExecutor::Open(MapRing(owner));
  Attacker attacker(MapRing(owner));
  std::atomic<bool> done = false;
  std::atomic<bool> reached = false;
  std::thread thread([&] { Attack(attacker, reached, done); });
  uint64_t taken = 0;
  uint64_t oversized = 0;
  while (!done.load(std::memory_order_relaxed)) {
    const quern_ring_submission* launch = executor.Take();
    if (launch == nullptr) continue;
    attacker.near.store(launch->sequence, std::memory_order_relaxed);
    ASSERT_EQ(launch->sequence, static_cast<uint32_t>(++taken));
    // As an executor reads it: the copy alone, within its bounds.
    uint64_t sum = 0;
    if (launch->argument_count > QUERN_RING_ARGUMENTS_MAX) {
      ++oversized;
    } else {
      for (int i = 0; i < launch->argument_count; ++i) {
        sum += launch->arguments[i];
      }
    }
    executor.Begin();
    executor.Complete({.detail = static_cast<uint32_t>(sum)});
    // It does reach the executor, with counts that no slot holds too.
    if (taken > 1000 && oversized > 100) reached.store(true);
  }
  thread.join();
}

TEST(RingHostileTest, TenMillionWritesIntoAClientsRing) {
  RingOwner owner = *RingOwner::Create(kSlots);
  RingClient client = *RingClient::Open(MapRing(owner));
  Attacker attacker(MapRing(owner));
  std::atomic<bool> done = false;
  std::atomic<bool> reached = false;
  std::thread thread([&] { Attack(attacker, reached, done); });
  uint32_t taken = 0;
  uint64_t arguments[QUERN_RING_ARGUMENTS_MAX] = {};
  while (!done.load(std::memory_order_relaxed)) {
    while (client.Submit({.tag = 1, .arguments = arguments})) {
    }
    ASSERT_EQ(client.outstanding(), kSlots);
    client.Wake();
    quern_ring_completion completion;
    while (client.Take(completion)) {
      ASSERT_EQ(completion.sequence, ++taken);
      ASSERT_LT(client.outstanding(), kSlots);
    }
    attacker.near.store(taken, std::memory_order_relaxed);
    if (taken > 1000) reached.store(true);
  }
  thread.join();
}

}  // namespace
}  // namespace quern
