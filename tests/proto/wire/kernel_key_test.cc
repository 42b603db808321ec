// Keys and their hexadecimal form.
#include "proto/wire/kernel_key.h"

#include <string>

#include "gtest/gtest.h"

namespace quern {
namespace {

TEST(KernelKeyTest, HexIsReadBack) {
  const KernelKey key{Sha256("")};
  EXPECT_EQ(key.ToHex(),
            "e3b0c44298fc1c149afbf4c8996fb924"
            "27ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(*KernelKey::FromHex(key.ToHex()), key);
}

TEST(KernelKeyTest, UpperCaseHexIsTheSameKey) {
  EXPECT_EQ(*KernelKey::FromHex(std::string(64, 'A')),
            *KernelKey::FromHex(std::string(64, 'a')));
}

TEST(KernelKeyTest, HexOfAnotherLengthOrAlphabetIsInvalid) {
  EXPECT_FALSE(KernelKey::FromHex(std::string(63, 'a')).ok());
  EXPECT_FALSE(KernelKey::FromHex(std::string(65, 'a')).ok());
  EXPECT_FALSE(KernelKey::FromHex(std::string(64, 'g')).ok());
}

TEST(KernelKeyTest, BytesOfAnotherLengthAreInvalid) {
  EXPECT_TRUE(KernelKey::FromBytes(std::string(32, 'x')).ok());
  EXPECT_FALSE(KernelKey::FromBytes(std::string(31, 'x')).ok());
  EXPECT_FALSE(KernelKey::FromBytes(std::string(33, 'x')).ok());
}

}  // namespace
}  // namespace quern
