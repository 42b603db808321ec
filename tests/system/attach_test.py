#!/usr/bin/python3
# The attach socket against hostile peers: garbage, slow readers, floods, and a
# client that tries to write into code.
import array
import mmap
import os
import random
import socket
import struct
import unittest

import harness
from harness import KERNELS, SystemTest, wait_until

MAGIC, VERSION = 0x314E5251, 2
HELLO, GET_SLAB, BYE = 1, 2, 3
WELCOME, SLAB, REFUSED, RETIRED = 65, 66, 67, 129


def request(kind, argument=0, magic=MAGIC, version=VERSION):
    return struct.pack("<IIIIQQ", magic, version, kind, 0, argument, 0)


class Peer:
    """A raw connection to the attach socket."""

    def __init__(self, daemon):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.connect(daemon.attach)  # Waits for room in the backlog.
        self.socket.settimeout(harness.SLOW)

    def close(self):
        self.socket.close()

    def ask(self, packet):
        """(type, status, value, size, message, descriptor), or None if the
        daemon hung up."""
        try:
            self.socket.send(packet)
            data, control, _, _ = self.socket.recvmsg(
                256, socket.CMSG_SPACE(4))
        except (BrokenPipeError, ConnectionResetError):
            return None
        if not data:
            return None
        fd = None
        for level, kind, payload in control:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fd = array.array("i", payload)[0]
        _, _, kind, status, value, size = struct.unpack("<IIIIQQ", data[:32])
        message = data[48:128].split(b"\0")[0].decode()
        return kind, status, value, size, message, fd

    def hello(self):
        return self.ask(request(HELLO))


class AttachTest(SystemTest):
    def peer(self):
        peer = Peer(self.daemon)
        self.addCleanup(peer.close)
        return peer

    def slab(self):
        """A peer and the descriptor and size of the first slab."""
        self.daemon.json("compile", KERNELS / "add_f32.ttir")
        slab = self.daemon.json("list")["kernels"][0]["slab"]
        peer = self.peer()
        self.assertEqual(peer.hello()[0], WELCOME)
        kind, _, value, size, _, fd = peer.ask(request(GET_SLAB, slab))
        self.assertEqual((kind, value), (SLAB, slab))
        self.addCleanup(os.close, fd)
        return fd, size

    def test_a_client_cannot_write_into_code(self):
        fd, size = self.slab()
        with self.assertRaises(OSError):
            mmap.mmap(fd, size, prot=mmap.PROT_READ | mmap.PROT_WRITE)
        with self.assertRaises(OSError):
            os.pwrite(fd, b"x", 0)

    def test_a_client_that_opens_the_slab_again_cannot_either(self):
        fd, size = self.slab()
        for flags in (os.O_RDWR, os.O_WRONLY):
            try:
                again = os.open(f"/proc/self/fd/{fd}", flags)
            except PermissionError:
                continue
            self.addCleanup(os.close, again)
            with self.assertRaises(OSError):
                os.pwrite(again, b"x", 0)
            with self.assertRaises(OSError):
                os.ftruncate(again, 0)
            with self.assertRaises((OSError, PermissionError)):
                mmap.mmap(again, size,
                          prot=mmap.PROT_READ | mmap.PROT_WRITE)

    def test_the_directory_cannot_be_written(self):
        kind, _, _, size, _, fd = self.peer().hello()
        self.assertEqual(kind, WELCOME)
        self.addCleanup(os.close, fd)
        with self.assertRaises(OSError):
            mmap.mmap(fd, size, prot=mmap.PROT_READ | mmap.PROT_WRITE)

    def test_another_protocol_version_is_a_clear_error(self):
        kind, status, _, _, message, _ = self.peer().ask(
            request(HELLO, version=99))
        self.assertEqual((kind, status), (REFUSED, 9))  # FAILED_PRECONDITION
        self.assertIn("99", message)
        self.assertIn(str(VERSION), message)

    def test_misuse_is_refused_and_ends_the_session(self):
        for packet in (b"x", b"\0" * 32, request(HELLO)[:31],
                       request(HELLO) + b"\0",
                       request(HELLO, magic=1), os.urandom(5000)):
            peer = self.peer()
            answer = peer.ask(packet)
            if answer is not None:
                self.assertEqual(answer[:2], (REFUSED, 3), packet[:40])
                self.assertIsNone(peer.ask(request(HELLO)))

    def test_a_request_before_hello_is_refused(self):
        peer = self.peer()
        self.assertEqual(peer.ask(request(GET_SLAB, 1))[:2], (REFUSED, 9))
        self.assertIsNone(peer.ask(request(HELLO)))

    def test_a_number_that_no_slab_can_have_is_misuse(self):
        for slab in (2**20, 2**64 - 1):
            peer = self.peer()
            peer.hello()
            self.assertEqual(peer.ask(request(GET_SLAB, slab))[:2],
                             (REFUSED, 3))

    def test_an_unknown_slab_is_not_found_and_the_session_goes_on(self):
        peer = self.peer()
        peer.hello()
        for slab in (0, 77, 2**20 - 1):
            self.assertEqual(peer.ask(request(GET_SLAB, slab))[:2],
                             (REFUSED, 5))
        self.assertEqual(peer.ask(request(GET_SLAB, 5))[:2], (REFUSED, 5))

    def test_random_packets_never_harm_the_daemon(self):
        generator = random.Random(1)
        for _ in range(300):
            peer = Peer(self.daemon)
            for _ in range(3):
                size = generator.choice((0, 1, 31, 32, 33, 100))
                packet = bytearray(generator.randbytes(size))
                if size >= 12 and generator.random() < 0.7:
                    packet[:12] = request(generator.choice((1, 2, 3)))[:12]
                try:
                    peer.socket.send(packet)
                except OSError:
                    break
            peer.close()
        self.still_serves()

    def test_a_peer_that_does_not_read_is_dropped(self):
        peer = self.peer()
        peer.hello()
        peer.socket.setblocking(False)
        sent = 0
        try:
            for sent in range(200_000):
                peer.socket.send(request(GET_SLAB, 1))
        except (BrokenPipeError, ConnectionResetError, BlockingIOError):
            pass
        self.still_serves()

    def test_a_flood_of_connections_is_bounded(self):
        peers = []
        welcomed = refused = 0
        for _ in range(300):
            try:
                peer = Peer(self.daemon)
            except OSError:
                refused += 1
                continue
            peers.append(peer)
            answer = peer.hello()
            if answer is not None and answer[0] == WELCOME:
                welcomed += 1
                os.close(answer[5])
            else:
                refused += 1
                if answer is not None:
                    self.assertEqual(answer[:2], (REFUSED, 8))
        self.assertEqual(welcomed, 256)  # sessions_max.
        self.assertGreater(refused, 0)
        for peer in peers:
            peer.close()
        wait_until(lambda: self.daemon.quern("stats", check=False).returncode
                   == 0, "free sessions")
        self.still_serves()

    def test_half_sent_requests_hold_up_nobody(self):
        idle = [self.peer() for _ in range(50)]
        self.still_serves()
        for peer in idle:
            self.assertEqual(peer.hello()[0], WELCOME)

    def still_serves(self):
        self.daemon.json("compile", KERNELS / "nothing.ttir")
        self.assertEqual(self.daemon.process.poll(), None)


if __name__ == "__main__":
    harness.main()
