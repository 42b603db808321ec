#!/usr/bin/python3
# Runs every block of deploy/grpcurl.md with the real grpcurl, which is looked
# for on the path and among the shared tools beside the repository.
import base64
import json
import re
import unittest
import subprocess

import harness
from harness import KERNELS, ROOT, SystemTest

ADD = KERNELS / "add_f32.ttir"


class GrpcurlTest(SystemTest):
    def refusal(self, **fields):
        """What grpcurl says of a Compile of ADD with `fields`."""
        request = {"format": "SOURCE_FORMAT_TRITON_IR",
                   "source": base64.b64encode(ADD.read_bytes()).decode()}
        request.update(fields)
        done = subprocess.run(
            ["grpcurl", "-plaintext", "-unix", "-d", "@", self.daemon.rpc,
             "quern.v1.KernelService/Compile"], input=json.dumps(request),
            env={"PATH": harness.path_with_grpcurl(self.daemon.folder)}, capture_output=True,
            text=True, timeout=harness.SLOW)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return done.stderr

    def test_what_a_request_may_not_say_is_refused(self):
        pointer = {"type": "*fp32", "divisibility": 16}
        right = [pointer, pointer, pointer, {"type": "i32"}]
        for code, fields in (
                ("InvalidArgument", {"signature": [pointer]}),
                ("InvalidArgument", {"signature": right[:3] + [pointer]}),
                ("InvalidArgument", {"signature": right[:3] +
                                     [{"type": "i32", "divisibility": 3}]}),
                ("InvalidArgument", {"signature": [{"type": "i32"}] * 129}),
                ("InvalidArgument", {"format": "SOURCE_FORMAT_UNSPECIFIED"}),
                ("InvalidArgument", {"format": 99}),
                ("InvalidArgument", {"entry": "subtract"}),
                ("InvalidArgument", {"source": ""}),
                ("InvalidArgument", {"target": {"triple": "vax-dec-vms",
                                                "cpu": "780"}}),
                ("Unimplemented", {"format": "SOURCE_FORMAT_MLIR"}),
                ("Unimplemented", {"format": "SOURCE_FORMAT_LLVM_IR"})):
            with self.subTest(fields=str(fields)[:80]):
                self.assertIn(f"Code: {code}", self.refusal(**fields))

    def test_every_call_of_the_document_works(self):
        path = harness.path_with_grpcurl(self.daemon.folder)
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
