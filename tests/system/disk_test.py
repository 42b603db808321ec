#!/usr/bin/python3
# Kernels on disk: a restart compiles nothing, damage and broken disks are
# nobody's error, and daemons share a folder.
import os
import random
import shutil
import signal
import statistics
import subprocess
import threading
import time
import unittest
from pathlib import Path

import harness
from harness import (KERNELS, SLOW, Daemon, SystemTest, kernel_text, program,
                     variants, wait_until)
from libquern import Client, Failed, Library, Session
from private_home import PrivateHome

ADD = KERNELS / "add_f32_block128.ttir"


def entries(folder):
    return sorted(path for path in Path(folder).iterdir()
                  if len(path.name) == 64)


def load_in_session(client, key):
    session = Session(client)
    session.load(key)
    session.close()


def unfinished(folder):
    return [path for path in Path(folder).iterdir()
            if path.name.startswith("tmp-")]


class DiskTest(SystemTest):
    # A slow disk or a busy machine costs entries otherwise, as it should.
    LIMITS = "queued_compiles_per_session_max: 256"
    REST = "drain_timeout { seconds: 3600 }"
    DISK = "read_timeout { seconds: 60 } queued_writes_max: 1000"

    def disk(self, daemon=None):
        return (daemon or self.daemon).stats()["disk"]

    def write_kernels(self, count):
        folder = self.daemon.folder / "kernels"
        folder.mkdir(exist_ok=True)
        for i, text in enumerate(variants("add_f32_block128", count)):
            (folder / f"{i}.ttir").write_text(text)
        return folder

    def time_all(self, folder, daemon=None):
        """(microseconds, cached) of each kernel; each was run and is right."""
        done = subprocess.run(
            [program("test-client"), "time-all",
             str((daemon or self.daemon).folder), str(folder)],
            capture_output=True, text=True, timeout=4 * SLOW)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [(float(line.split()[0]), line.split()[1] == "1")
                for line in done.stdout.splitlines()]

    def wait_written(self, count, daemon=None):
        wait_until(lambda: self.disk(daemon)["writes"] >= count, "the writes")

    def restart(self):
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.start()

    def test_after_a_restart_two_hundred_kernels_come_from_disk(self):
        folder = self.write_kernels(200)
        self.assertFalse(any(cached for _, cached in self.time_all(folder)))
        self.restart()
        self.daemon.ready_children(0)  # Forked ahead, for no job.
        times = self.time_all(folder)
        self.assertTrue(all(cached for _, cached in times))
        stats = self.daemon.stats()
        self.assertEqual(stats["compiles"], 0)
        self.assertEqual(stats["children_forked"], 2)
        self.assertEqual(stats["disk"]["hits"], 200)
        self.assertEqual(stats["disk"]["misses"], 0)
        microseconds = [time for time, _ in times]
        median = statistics.median(microseconds)
        total = sum(microseconds) / 1000
        print(f"200 kernels from disk: median {median:.0f} us, largest "
              f"{max(microseconds):.0f} us, together {total:.1f} ms",
              flush=True)

    def test_a_damaged_entry_is_compiled_again_and_healed(self):
        folder = self.write_kernels(12)
        self.time_all(folder)
        self.wait_written(12)
        self.assertEqual(self.daemon.stop(), 0)
        rng = random.Random(1)
        for number, path in enumerate(entries(self.daemon.disk)):
            data = bytearray(path.read_bytes())
            if number % 2:
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            else:
                del data[rng.randrange(len(data)):]
            path.write_bytes(data)
        self.daemon.start()
        self.assertFalse(any(cached for _, cached in self.time_all(folder)))
        self.assertEqual(self.disk()["bad_entries_removed"], 12)
        self.wait_written(12)
        self.restart()
        self.assertTrue(all(cached for _, cached in self.time_all(folder)))

    def test_the_source_of_a_kernel_from_disk_is_shown(self):
        key = self.daemon.json("compile", ADD)["key"]
        self.restart()
        # Also before anybody has asked for the kernel.
        for _ in range(2):
            shown = self.daemon.quern("show", key, "--emit", "source").stdout
            self.assertEqual(shown.rstrip("\n"), ADD.read_text().rstrip("\n"))
            self.assertTrue(self.daemon.json("compile", ADD)["cached"])
        self.assertIn("vaddps", self.daemon.quern("show", key, "--emit",
                                                  "asm").stdout)

    def test_a_key_alone_brings_a_kernel_back(self):
        key = bytes.fromhex(self.daemon.json("compile", ADD)["key"])
        library = Library(harness.BIN)
        for find in (lambda client: client.release(client.lookup(key)),
                     lambda client: load_in_session(client, key)):
            self.restart()
            client = Client(library, self.daemon.folder)
            find(client)
            client.close()
            self.assertEqual(self.daemon.stats()["compiles"], 0)
            self.assertEqual(self.disk()["hits"], 1)
        client = Client(library, self.daemon.folder)
        with self.assertRaises(Failed) as raised:
            client.lookup(bytes(32))
        client.close()
        self.assertIn("no cache holds", raised.exception.message)

    def test_what_is_evicted_is_gone_from_disk(self):
        key = self.daemon.json("compile", ADD)["key"]
        self.daemon.quern("evict", key)
        self.assertEqual(entries(self.daemon.disk), [])
        self.assertFalse(self.daemon.json("compile", ADD)["cached"])
        self.restart()
        self.daemon.quern("evict", key)
        self.assertEqual(entries(self.daemon.disk), [])
        self.assertIn("NOT_FOUND", self.daemon.error("evict", key))

    def test_sigterm_writes_what_is_queued(self):
        folder = self.write_kernels(40)
        self.time_all(folder)
        self.assertEqual(self.daemon.stop(), 0)
        self.assertEqual(len(entries(self.daemon.disk)), 40)

    def test_two_daemons_share_a_folder(self):
        other = Daemon(self.LIMITS, self.REST, disk=self.DISK,
                       disk_path=self.daemon.disk)
        self.addCleanup(other.close)
        folder = self.write_kernels(60)
        results = {}

        def work(daemon):
            results[daemon] = self.time_all(folder, daemon)

        threads = [threading.Thread(target=work, args=(daemon,))
                   for daemon in (self.daemon, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual({len(times) for times in results.values()}, {60})
        for daemon in (self.daemon, other):
            self.assertEqual(self.disk(daemon)["bad_entries_removed"], 0)
            self.assertEqual(self.disk(daemon)["write_failures"], 0)
        # Each finds what only the other has compiled.
        for writer, reader in ((self.daemon, other), (other, self.daemon)):
            path = self.daemon.write("new.ttir", f"// {writer.pid}\n"
                                     f"{kernel_text('add_f32')}")
            compiled = writer.json("compile", path)
            self.assertFalse(compiled["cached"])
            wait_until((self.daemon.disk / compiled["key"]).exists,
                       "the write")
            self.assertTrue(reader.json("compile", path)["cached"])

    def test_kill_dash_nine_during_writes_leaves_nothing_bad(self):
        folder = self.write_kernels(200)
        rng = random.Random(2)
        for _ in range(8):
            client = subprocess.Popen(
                [program("test-client"), "compile-all",
                 str(self.daemon.folder), str(folder)],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                stdin=subprocess.DEVNULL)
            # Once it writes, at any moment.
            written = len(entries(self.daemon.disk))
            wait_until(lambda: len(entries(self.daemon.disk)) > written or
                       client.poll() is not None, "a write")
            time.sleep(rng.random() * 0.5)
            self.daemon.kill()
            client.kill()
            client.wait()
            self.daemon.start()
        wait_until(lambda: not unfinished(self.daemon.disk), "the sweep")
        found = len(entries(self.daemon.disk))
        self.assertGreater(found, 0)
        times = self.time_all(folder)
        disk = self.disk()
        self.assertEqual(disk["bad_entries_removed"], 0)
        self.assertEqual(sum(cached for _, cached in times), found)

    def test_a_file_left_by_a_dead_writer_is_swept_at_the_start(self):
        self.daemon.json("compile", ADD)
        self.assertEqual(self.daemon.stop(), 0)
        left = self.daemon.disk / "tmp-0123456789abcdef-1"
        left.write_text("half an entry")
        foreign = self.daemon.disk / "README"
        foreign.write_text("not ours")
        self.daemon.start()
        wait_until(lambda: not left.exists(), "the sweep")
        self.assertTrue(foreign.exists())

    def test_a_small_disk_keeps_what_was_used_last(self):
        self.daemon.stop()
        small = Daemon(self.LIMITS, self.REST,
                       disk=f"{self.DISK} size_bytes_max: 1048576")
        self.addCleanup(small.close)
        folder = self.write_kernels(300)  # Of 4 KiB each: 256 fit.
        self.time_all(folder, small)
        self.assertEqual(small.stop(), 0)
        self.assertEqual(len(entries(small.disk)), 256)
        small.start()
        times = self.time_all(folder, small)
        self.assertLessEqual(sum(cached for _, cached in times), 256)
        self.assertEqual(self.disk(small)["bad_entries_removed"], 0)


class BrokenDiskTest(SystemTest):
    """Disks that are not as they should be. The daemon works without."""

    def compiles(self, daemon):
        self.assertFalse(daemon.json("compile", ADD)["cached"])
        self.assertTrue(daemon.json("compile", ADD)["cached"])

    def check_unusable(self, daemon, problem):
        self.compiles(daemon)
        self.assertRegex(daemon.stats()["disk"]["problem"], problem)
        self.assertRegex(daemon.quern("stats").stdout, problem)
        self.assertRegex(daemon.quern("doctor").stdout, problem)
        self.assertRegex(daemon.log.read_text(), "WARN.*" + problem)

    def test_a_folder_in_a_missing_folder(self):
        daemon = Daemon(disk_path=self.daemon.folder / "missing" / "folder")
        self.addCleanup(daemon.close)
        self.check_unusable(daemon, "No such file")

    def test_a_folder_that_is_removed_is_made_anew(self):
        self.daemon.json("compile", ADD)
        wait_until(lambda: self.daemon.stats()["disk"]["writes"] == 1,
                   "the first kernel on disk")
        shutil.rmtree(self.daemon.disk)
        self.daemon.json("compile", self.daemon.write(
            "other.ttir", "// other\n" + ADD.read_text()))
        wait_until(lambda: self.daemon.stats()["disk"]["writes"] == 2,
                   "the second kernel on disk")
        self.assertEqual(len(list(self.daemon.disk.iterdir())), 1)
        self.assertEqual(self.daemon.stats()["disk"]["problem"], "")

    def test_a_folder_that_others_may_write_to(self):
        folder = self.daemon.folder / "open"
        folder.mkdir()
        folder.chmod(0o777)
        daemon = Daemon(disk_path=folder)
        self.addCleanup(daemon.close)
        self.check_unusable(daemon, "nobody else may write")
        self.assertEqual(list(folder.iterdir()), [])

    def test_a_link_to_a_folder(self):
        link = self.daemon.folder / "link"
        link.symlink_to("/tmp")
        daemon = Daemon(disk_path=link)
        self.addCleanup(daemon.close)
        self.check_unusable(daemon, "no link")

    def mounted(self, mount):
        """A daemon in a mount namespace, in which `mount` was run. $1 is the
        folder of the disk: the one of self.daemon, which has ended."""
        self.assertEqual(self.daemon.stop(), 0)
        folder = self.daemon.disk
        unshare = ["unshare", "--mount"]
        if os.geteuid() != 0:
            unshare.append("--map-root-user")
        if subprocess.run([*unshare, "true"]).returncode != 0:
            self.skipTest("no mount namespaces here")
        daemon = Daemon(disk_path=folder, wrapper=[
            *unshare, "sh", "-c", f'{mount} && shift && exec "$@"', "sh",
            str(folder)])
        self.addCleanup(daemon.close)
        return daemon

    def test_a_full_disk(self):
        daemon = self.mounted('mount -t tmpfs -o size=64k,mode=700 none "$1"')
        for number, text in enumerate(variants("add_f32_block128", 40)):
            path = daemon.write(f"{number}.ttir", text)
            self.assertFalse(daemon.json("compile", path)["cached"])
        wait_until(lambda: daemon.stats()["disk"]["write_failures"] > 0,
                   "a full disk")
        disk = daemon.stats()["disk"]
        self.assertGreater(disk["writes"], 0)
        self.assertIn("No space left", disk["problem"])
        self.assertIn("WARN", daemon.log.read_text())
        daemon.stop()
        self.assertEqual(daemon.process.returncode, 0)

    def test_a_read_only_disk_is_read(self):
        self.daemon.json("compile", ADD)
        daemon = self.mounted('mount --bind "$1" "$1" && '
                              'mount -o remount,ro,bind "$1"')
        self.assertTrue(daemon.json("compile", ADD)["cached"])
        self.assertEqual(daemon.stats()["disk"]["hits"], 1)
        self.assertFalse(
            daemon.json("compile", KERNELS / "add_f32.ttir")["cached"])
        wait_until(lambda: daemon.stats()["disk"]["write_failures"] == 1,
                   "the failed write")
        self.assertIn("Read-only", daemon.stats()["disk"]["problem"])

    def test_no_disk_is_no_problem(self):
        self.daemon.stop()
        text = self.daemon.config.read_text()
        self.daemon.config.write_text(
            "".join(line for line in text.splitlines(True)
                    if not line.startswith("disk")))
        self.daemon.start()
        self.compiles(self.daemon)
        self.assertNotIn("disk", self.daemon.stats())
        self.assertIn("disk      none", self.daemon.quern("stats").stdout)


class PrivateDiskTest(unittest.TestCase):
    def test_a_private_daemon_keeps_kernels_in_the_users_home(self):
        folder = Path(harness.tempfile.mkdtemp(prefix="quern-system-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        alone = PrivateHome(folder)
        if not alone.possible():
            self.skipTest("no mount namespaces here")
        self.addCleanup(alone.run, program("quern"), "stop")
        for expected in ("compiled", "cached"):
            done = alone.run(program("quern"), "compile", ADD)
            self.assertIn(expected, done.stdout, done.stderr)
            self.assertEqual(alone.run(program("quern"), "stop").returncode, 0)
        disk = alone.home / ".cache" / "quern"
        self.assertEqual(len(entries(disk)), 1)
        for path in (alone.home / ".cache", disk):
            self.assertEqual(path.stat().st_mode & 0o7777, 0o700)
        doctor = alone.run(program("quern"), "doctor").stdout
        self.assertRegex(doctor, f"ok +kernels on disk +{disk}")


if __name__ == "__main__":
    harness.main()
