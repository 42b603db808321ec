// Tests of SHA-256, with the examples of FIPS 180-4.
#include "proto/wire/sha256.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "absl/strings/escaping.h"

namespace quern {
namespace {

std::string Hex(const Sha256Digest& digest) {
  return absl::BytesToHexString(
      {reinterpret_cast<const char*>(digest.data()), digest.size()});
}

constexpr char kOfAbc[] =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256Test, TheStandardsExamples) {
  EXPECT_EQ(Hex(Sha256("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Hex(Sha256("abc")), kOfAbc);
  EXPECT_EQ(
      Hex(Sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Hex(Sha256(std::string(1000000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256Test, PartsAreOneMessage) {
  EXPECT_EQ(Hex(Sha256({"a", "", "bc"})), kOfAbc);
  EXPECT_EQ(Sha256({}), Sha256(""));
}

// What OpenSSL is told to load is not ours to say: a configuration without
// providers must not make all digests equal.
TEST(Sha256Test, NoConfigurationOfOpenSslChangesIt) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // It begins afresh.
  const std::string path = testing::TempDir() + "quern_sha256_test.cnf";
  std::ofstream(path) << "openssl_conf = init\n[init]\nproviders = list\n"
                         "[list]\nnull = null\n[null]\nactivate = 1\n";
  EXPECT_EXIT(
      {
        ::setenv("OPENSSL_CONF", path.c_str(), 1);
        ::exit(Hex(Sha256("abc")) == kOfAbc ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
  std::remove(path.c_str());
}

}  // namespace
}  // namespace quern
