// A user's program in C++: the same by quern.hpp.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <quern/quern.hpp>
#include <string>
#include <vector>

// The same sum, by the daemon's executor.
bool Served(quern::Client& client, const quern::Kernel& add) {
  constexpr int32_t kCount = 5000;
  quern::Result<quern::Session> session = client.NewSession();
  if (!session.ok()) return false;
  const quern::Result<uint32_t> id = session->Load(add.key());
  quern::Result<quern::Buffer> x = session->NewBuffer(4 * kCount);
  quern::Result<quern::Buffer> z = session->NewBuffer(4 * kCount);
  quern::Result<quern::Ring> ring = session->NewRing(16);
  if (!id.ok() || !x.ok() || !z.ok() || !ring.ok()) return false;
  std::fill_n(static_cast<float*>(x->data()), kCount, 1.5F);
  if (ring->Submit(7, *id, {5, 1, 1}, x->At(0), x->At(0), z->At(0), kCount)) {
    return false;
  }
  const quern::Result<std::optional<quern_completion>> done =
      ring->Wait(60'000);
  if (!done.ok() || !done->has_value() || (*done)->tag != 7 ||
      (*done)->code != QUERN_OK) {
    return false;
  }
  const float* sums = static_cast<const float*>(z->data());
  return std::all_of(sums, sums + kCount, [](float sum) { return sum == 3; });
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  std::ifstream file(argv[1], std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  quern::Result<quern::Client> client = quern::Client::Connect();
  if (!client.ok()) {
    std::fprintf(stderr, "%s\n", client.error().message.c_str());
    return 1;
  }
  quern::Result<quern::Kernel> add = client->Compile(text);
  if (!add.ok()) {
    std::fprintf(stderr, "%s\n", add.error().message.c_str());
    return 1;
  }
  std::vector<float> x(5000, 1.0F);
  std::vector<float> y(5000, 2.0F);
  std::vector<float> z(5000);
  const int32_t count = static_cast<int32_t>(x.size());
  if (quern::Error error = client->Launch(*add, {5, 1, 1}, x.data(), y.data(),
                                          z.data(), count)) {
    std::fprintf(stderr, "%s\n", error.message.c_str());
    return 1;
  }
  for (const float value : z) {
    if (value != 3.0F) return 1;
  }
  if (client->Compile("no IR").ok()) return 1;
  if (!Served(*client, *add)) return 1;
  std::printf("quern %s from C++: right\n", quern_version());
  return 0;
}
