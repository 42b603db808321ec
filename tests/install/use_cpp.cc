// A user's program in C++: the same by quern.hpp.
#include <quern/quern.hpp>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

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
  std::printf("quern %s from C++: right\n", quern_version());
  return 0;
}
