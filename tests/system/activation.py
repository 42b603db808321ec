# A service manager for tests: it opens the sockets, hands them over by the
# protocol of systemd, and hears what the daemon says.
import os
import socket
import subprocess
import time
from pathlib import Path

import harness
from harness import Daemon, program, wait_until

# Puts the descriptors that its first argument lists where the protocol has
# them, says whose they are, and becomes the rest of its arguments.
HAND_OVER = """
import fcntl, os, sys
given = [int(word) for word in sys.argv[1].split(",") if word]
high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 100) for fd in given]
for fd in given:
    os.close(fd)
for place, fd in enumerate(high, 3):
    os.dup2(fd, place)
me = str(os.getpid())
os.environ.update(LISTEN_FDS=str(len(given)), LISTEN_PID=me, WATCHDOG_PID=me)
os.execv(sys.argv[2], sys.argv[2:])
"""


def listening(kind, path, listen=True):
    """A socket at a path, as a socket unit opens it."""
    opened = socket.socket(socket.AF_UNIX, kind)
    opened.bind(str(path))
    if listen:
        opened.listen(128)
    return opened


class ActivatedDaemon(Daemon):
    """A quernd whose sockets are this object's. `sockets`, a function of this
    object, makes others than the right ones; `names` are theirs."""

    def __init__(self, rest="", sockets=None, names="quern:quern",
                 watchdog_us=None):
        self.make_sockets = sockets or ActivatedDaemon.right_sockets
        self.names = names
        self.watchdog_us = watchdog_us
        self.sockets = None
        self.notices = None
        super().__init__(rest=rest)

    def right_sockets(self):
        return [listening(socket.SOCK_STREAM, self.rpc),
                listening(socket.SOCK_SEQPACKET, self.attach)]

    def start(self):
        if self.sockets is None:
            self.sockets = self.make_sockets(self)
            self.notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self.notices.bind(str(self.folder / "notify"))
        environment = {"NOTIFY_SOCKET": str(self.folder / "notify")}
        if self.names is not None:
            environment["LISTEN_FDNAMES"] = self.names
        if self.watchdog_us is not None:
            environment["WATCHDOG_USEC"] = str(self.watchdog_us)
        fds = [each.fileno() for each in self.sockets]
        self.started = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["/usr/bin/python3", "-c", HAND_OVER,
                 ",".join(map(str, fds)), program("quernd"), str(self.config)],
                stderr=log, stdout=log, stdin=subprocess.DEVNULL,
                pass_fds=fds, env=environment)

    def notice(self, seconds=harness.SLOW):
        """The next thing that the daemon says; None if it says nothing."""
        self.notices.settimeout(seconds)
        try:
            return self.notices.recv(4096).decode()
        except (TimeoutError, BlockingIOError):
            return None

    def wait_for(self, text):
        """Hears the daemon until it says `text`; returns all it said."""
        heard = []
        while text not in heard:
            said = self.notice()
            if said is None:
                raise AssertionError(f"no {text} after {heard}; daemon: "
                                     f"{self.log.read_text()[-2000:]}")
            heard.append(said)
        return heard

    def forget_notices(self):
        while self.notice(0.001) is not None:
            pass

    @staticmethod
    def holds(pid, inodes):
        """How many of the sockets with those inodes a process has open."""
        names = {f"socket:[{inode}]" for inode in inodes}
        return sum(os.path.lexists(path) and os.readlink(path) in names
                   for path in Path(f"/proc/{pid}/fd").iterdir())

    def ending(self):
        """What the daemon, which must not start, prints, and its status."""
        code = wait_until(lambda: self.process.poll() is not None
                          and self.process, "the end").returncode
        return code, self.log.read_text()

    def close(self):
        for each in [*self.sockets, self.notices]:
            each.close()
        super().close()


def threads_of(pid):
    """The threads of a process, less its first."""
    return sorted(int(name) for name in os.listdir(f"/proc/{pid}/task")
                  if int(name) != pid)
