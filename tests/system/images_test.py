#!/usr/bin/python3
# Images are reproducible: two daemons, so two zygotes at other addresses, make
# equal bytes of every printed kernel, for this machine and for another.
import unittest

import harness
from harness import KERNELS, Daemon, SystemTest

ARM = "aarch64-unknown-linux-gnu:neoverse-n1"


class ImagesTest(SystemTest):
    def image(self, daemon, kernel, *target):
        path = daemon.folder / "image"
        daemon.quern("compile", kernel, "--emit", "image", "--output", path,
                     *target)
        return path.read_bytes()

    def test_two_zygotes_make_equal_bytes(self):
        other = Daemon()
        self.addCleanup(other.close)
        kernels = sorted(KERNELS.glob("*.ttir"))
        self.assertGreater(len(kernels), 50)
        for kernel in kernels:
            for target in ((), ("--target", ARM)):
                with self.subTest(kernel=kernel.name, target=target):
                    self.assertEqual(
                        self.image(self.daemon, kernel, *target),
                        self.image(other, kernel, *target))


if __name__ == "__main__":
    harness.main()
