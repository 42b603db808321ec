#!/usr/bin/python3
# Runs every block of deploy/grpcurl.md with the real grpcurl, which is looked
# for on the path and among the shared tools beside the repository.
import base64
import lzma
import os
import re
import shutil
import stat
import unittest
import subprocess

import harness
from harness import KERNELS, ROOT, SystemTest

ADD = KERNELS / "add_f32.ttir"
SHARED = ROOT.parent / "shared" / "tools" / "bin" / "grpcurl.xz"


class GrpcurlTest(SystemTest):
    def path_with_grpcurl(self):
        if shutil.which("grpcurl"):
            return os.environ["PATH"]
        if not SHARED.exists():
            self.skipTest("grpcurl is neither installed nor beside the "
                          "repository")
        program = self.daemon.folder / "grpcurl"
        program.write_bytes(lzma.decompress(SHARED.read_bytes()))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return f"{self.daemon.folder}:{os.environ['PATH']}"

    def test_every_call_of_the_document_works(self):
        path = self.path_with_grpcurl()
        key = bytes.fromhex(self.daemon.json("compile", ADD)["key"])
        environment = {"PATH": path, "SOCKET": self.daemon.rpc,
                       "KERNEL": str(ADD),
                       "KEY_BASE64": base64.b64encode(key).decode()}
        text = (ROOT / "deploy" / "grpcurl.md").read_text()
        blocks = re.findall(r"```sh\n(.*?)```", text, re.S)
        self.assertGreaterEqual(len(blocks), 6)
        output = ""
        for block in blocks:
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", block],
                                  env=environment, capture_output=True,
                                  text=True, timeout=harness.SLOW)
            self.assertEqual(done.returncode, 0, block + done.stderr)
            output += done.stdout
        for expected in ("quern.v1.KernelService", "SERVING", "children_forked",
                         '"cached": true', "grpc.channelz", '"image": "',
                         '"text": "'):
            self.assertIn(expected, output)


if __name__ == "__main__":
    harness.main()
