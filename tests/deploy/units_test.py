#!/usr/bin/python3
# The installed service: its units are valid, name what is installed, and are
# as confined as they are meant to be.
import argparse
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

EXPOSURE_MAX = 1.5  # Of 10, as `systemd-analyze security` counts.

BUILD = None  # The build's folder; set by main.


def output_of(*words, **arguments):
    return subprocess.run(list(map(str, words)), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **arguments)


def install(prefix, stage=None):
    environment = dict(os.environ)
    if stage is not None:
        environment["DESTDIR"] = str(stage)
    done = output_of("cmake", "--install", BUILD, "--prefix", prefix,
                     env=environment)
    if done.returncode != 0:
        raise AssertionError(done.stdout)


class UnitsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="quern-units-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.prefix = Path(cls.folder.name) / "prefix"
        install(cls.prefix)
        cls.units = cls.prefix / "lib" / "systemd" / "system"

    def test_the_units_are_valid(self):
        for unit in ["quernd.service", "quernd.socket"]:
            done = output_of("systemd-analyze", "verify", self.units / unit)
            self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_the_service_is_confined(self):
        done = output_of("systemd-analyze", "security", "--offline=true",
                         "--no-pager", f"--threshold={10 * EXPOSURE_MAX:.0f}",
                         self.units / "quernd.service")
        self.assertEqual(done.returncode, 0, done.stdout)
        exposure = re.search(r"exposure level for quernd.service: ([\d.]+)",
                             done.stdout).group(1)
        print(f"exposure {exposure}, at most {EXPOSURE_MAX}")
        self.assertLessEqual(float(exposure), EXPOSURE_MAX)

    def test_the_unit_names_what_is_installed(self):
        text = (self.units / "quernd.service").read_text()
        program, config = re.search(r"^ExecStart=(\S+) (\S+)$", text,
                                    re.M).groups()
        self.assertEqual(Path(program), self.prefix / "bin" / "quernd")
        self.assertTrue(os.access(program, os.X_OK))
        self.assertIn("/run/quern/rpc.sock", Path(config).read_text())
        self.assertNotRegex(text, r"@\w+@")
        document = re.search(r"^Documentation=file:(\S+)$", text, re.M)
        self.assertTrue(Path(document.group(1)).exists())

    def test_the_socket_unit_and_the_configuration_agree(self):
        unit = (self.units / "quernd.socket").read_text()
        config = (self.prefix / "etc/quern/daemon.textproto").read_text()
        for kind, field in [("Stream", "rpc_path"),
                            ("SequentialPacket", "attach_path")]:
            path = re.search(rf"^Listen{kind}=(\S+)$", unit, re.M).group(1)
            self.assertIn(f'{field}: "{path}"', config)
        group = re.search(r"^SocketGroup=(\S+)$", unit, re.M).group(1)
        self.assertIn(f'groups: "{group}"', config)
        self.assertIn(f"\ng {group} ",
                      (self.prefix / "lib/sysusers.d/quern.conf").read_text())

    def test_an_operators_configuration_stays(self):
        config = self.prefix / "etc/quern/daemon.textproto"
        shipped = config.read_text()
        config.write_text("# mine\n")
        self.addCleanup(config.write_text, shipped)
        install(self.prefix)
        self.assertEqual(config.read_text(), "# mine\n")
        self.assertEqual(
            (self.prefix / "share/quern/daemon.textproto").read_text(), shipped)

    def test_a_staged_package_has_the_systems_paths(self):
        stage = Path(self.folder.name) / "stage"
        install("/usr", stage)
        unit = stage / "usr/lib/systemd/system/quernd.service"
        self.assertIn(
            "\nExecStart=/usr/bin/quernd /etc/quern/daemon.textproto\n",
            unit.read_text())
        self.assertTrue((stage / "etc/quern/daemon.textproto").exists())
        self.assertFalse((stage / "usr/etc").exists())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, required=True)
    arguments, rest = parser.parse_known_args()
    BUILD = arguments.build.resolve()
    unittest.main(argv=[sys.argv[0], *rest])
