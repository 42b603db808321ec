#!/usr/bin/python3
# One compile and one copy of the code, however many processes ask.
from pathlib import Path

import harness
from harness import (SystemTest, begin, children_of, program, variants,
                     wait_until)
from private_home import PrivateHome


def slab_mappings(pid):
    """(size, PSS) in kB of each code slab mapped by a process."""
    found = []
    lines = Path(f"/proc/{pid}/smaps").read_text().splitlines()
    for number, line in enumerate(lines):
        if "memfd:quern-code" not in line:
            continue
        fields = dict(entry.split(":", 1) for entry in
                      lines[number + 1:number + 24] if ":" in entry)
        found.append({name: int(fields[name].split()[0])
                      for name in ("Size", "Rss", "Pss")})
    return found


class SharingTest(SystemTest):
    KERNELS = 200
    CLIENTS = 8
    LIMITS = "queued_compiles_per_session_max: 256"

    def test_eight_processes_compile_two_hundred_kernels_once(self):
        folder = self.daemon.folder / "kernels"
        folder.mkdir()
        for i, text in enumerate(variants("add_f32_block128", self.KERNELS)):
            (folder / f"{i}.ttir").write_text(text)
        zygote = self.daemon.zygote()
        clients = [begin(self, program("test-client"), "compile-all",
                         self.daemon.folder, folder)
                   for _ in range(self.CLIENTS)]
        for client in clients:
            self.assertEqual(client.stdout.readline(),
                             f"{self.KERNELS} right\n")
        stats = self.daemon.stats()
        self.assertEqual(stats["compiles"], self.KERNELS)
        self.assertEqual(stats["kernels"], self.KERNELS)
        self.assertEqual(stats["failures"], 0)
        self.check_forks(zygote)
        self.check_one_copy(clients)
        for client in clients:
            client.communicate("end\n")
            self.assertEqual(client.returncode, 0)

    def check_forks(self, zygote):
        """Counted from outside: what was forked has compiled, or waits."""
        wait_until(lambda: self.daemon.stats()["children_forked"] ==
                   self.KERNELS + len(children_of(zygote)),
                   "as many forks as compiles and waiting children")
        self.assertEqual(sum(self.daemon.stats()["children_dead"].values()), 0)

    def check_one_copy(self, clients):
        for client in clients:
            mapped = slab_mappings(client.pid)
            self.assertEqual(len(mapped), 1)
            # Nine processes (the daemon too) share each page.
            self.assertGreater(mapped[0]["Rss"], 0)
            self.assertLessEqual(mapped[0]["Pss"] * 7, mapped[0]["Rss"])

    def test_processes_that_start_at_once_get_one_private_daemon(self):
        alone = PrivateHome(self.daemon.folder)
        if not alone.possible():
            self.skipTest("no mount namespaces here")
        self.addCleanup(alone.run, program("quern"), "stop")
        clients = [begin(self, *alone.wrap(program("quern"), "compile",
                                           harness.KERNELS / "nothing.ttir"))
                   for _ in range(4)]
        for client in clients:
            _, errors = client.communicate(timeout=harness.SLOW)
            self.assertEqual(client.returncode, 0, errors)
        stats = alone.run(program("quern"), "stats", "--json")
        self.assertIn('"compiles":1,', stats.stdout)
        self.assertEqual(alone.run(program("quern"), "stop").returncode, 0)


if __name__ == "__main__":
    harness.main()
