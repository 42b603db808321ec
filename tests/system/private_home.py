# A home and a run-time folder of a test's own, for programs that look for them
# in the system's user database: a mount namespace shows them other ones.
import os
import pwd
import subprocess
import tempfile
from pathlib import Path

# $1: the user database; $2: what is to be /run; the rest is the command.
SCRIPT = ('mount --bind "$1" /etc/passwd && mount --bind "$2" /run && '
          'shift 2 && exec "$@"')


class PrivateHome:
    """Runs commands whose user has a fresh, empty home."""

    def __init__(self, folder):
        folder = Path(tempfile.mkdtemp(dir=folder))
        # Without privileges the namespace makes this user its root.
        self.unshare = ["unshare", "--mount"]
        user = os.geteuid()
        if user != 0:
            self.unshare.append("--map-root-user")
            user = 0
        self.home = folder / "home"
        self.home.mkdir(mode=0o700)
        self.run_time = folder / "run" / "user" / str(user)
        self.run_time.mkdir(parents=True)
        self.run_time.chmod(0o700)
        try:
            name = pwd.getpwuid(os.geteuid()).pw_name
        except KeyError:  # As in a container.
            name = "somebody"
        self.passwd = folder / "passwd"
        self.passwd.write_text(f"{name}:x:{user}:{user}::{self.home}:/bin/sh\n")
        self.run_folder = folder / "run"

    def possible(self):
        """Whether this machine lets us."""
        return subprocess.run(self.wrap("true"),
                              capture_output=True).returncode == 0

    def wrap(self, *words):
        return [*self.unshare, "sh", "-c", SCRIPT, "sh", str(self.passwd),
                str(self.run_folder), *map(str, words)]

    def run(self, *words):
        return subprocess.run(self.wrap(*words), capture_output=True,
                              text=True, timeout=60)
