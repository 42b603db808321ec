#!/usr/bin/python3
# The daemon's limits on what it holds: past them it lets go of the oldest.
import harness
from harness import SystemTest, begin, program, variants


class CodeMemoryTest(SystemTest):
    LIMITS = "slab_size_bytes: 65536 code_memory_bytes_max: 262144"

    def test_old_slabs_go_when_code_memory_is_full(self):
        folder = self.daemon.folder / "kernels"
        folder.mkdir()
        for i, text in enumerate(variants("add_f32_block128", 150)):
            (folder / f"{i}.ttir").write_text(text)
        # One client that lets go of what it ran, as clients do.
        client = begin(self, program("test-client"), "compile-all",
                       self.daemon.folder, folder)
        out, errors = client.communicate("end\n", timeout=2 * harness.SLOW)
        self.assertEqual(out, "150 right\n", errors)
        stats = self.daemon.stats()
        self.assertEqual(stats["compiles"], 150)
        self.assertGreater(stats["evictions"], 0)
        self.assertLessEqual(stats["code_size_bytes"], 262144)
        self.assertLess(stats["kernels"], 150)


class DirectoryTest(SystemTest):
    LIMITS = "directory_entries_max: 8"

    def test_a_full_directory_still_answers_by_rpc(self):
        for number, text in enumerate(variants("nothing", 30)):
            path = self.daemon.write(f"{number}.ttir", text)
            self.assertFalse(self.daemon.json("compile", path)["cached"])


class SessionsTest(SystemTest):
    LIMITS = "sessions_max: 1"

    def test_one_session_too_many_is_refused(self):
        client = begin(self, program("test-client"), "launch-on",
                       self.daemon.folder,
                       harness.KERNELS / "add_f32_block128.ttir")
        self.assertEqual(client.stdout.readline(), "ready\n")
        self.assertIn("RESOURCE_EXHAUSTED", self.daemon.error("stats"))
        client.communicate("end\n", timeout=harness.SLOW)
        self.assertEqual(client.returncode, 0)


if __name__ == "__main__":
    harness.main()
