# libquern for Python clients of system tests: as little of quern.h as they
# need. What fails raises Failed with the code.
import ctypes
from ctypes import (POINTER, byref, c_char, c_char_p, c_int, c_size_t,
                    c_uint32, c_uint64, c_void_p)
from pathlib import Path

COMPLETION_CODES_MAX = 64


class ErrorText(ctypes.Structure):
    _fields_ = [("code", c_int), ("message", c_char * 1020)]


class Options(ctypes.Structure):
    _fields_ = [("size_bytes", c_size_t), ("rpc_path", c_char_p),
                ("attach_path", c_char_p), ("daemon_program", c_char_p),
                ("threads", c_uint32), ("connect_timeout_ms", c_uint32),
                ("no_private_daemon", c_uint32), ("fail_fast", c_uint32)]


class Source(ctypes.Structure):
    _fields_ = [("size_bytes", c_size_t), ("format", c_int),
                ("disable_fp_contract", c_uint32), ("text", c_char_p),
                ("text_size_bytes", c_size_t), ("entry", c_char_p),
                ("arguments", c_void_p), ("argument_count", c_size_t),
                ("timeout_ms", c_uint32)]


class Grid(ctypes.Structure):
    _fields_ = [("x", c_uint32), ("y", c_uint32), ("z", c_uint32)]


class ServedLaunch(ctypes.Structure):
    _fields_ = [("tag", c_uint64), ("kernel", c_uint32), ("flags", c_uint32),
                ("grid", Grid), ("reserved", c_uint32),
                ("args", POINTER(c_uint64)), ("argument_count", c_size_t)]


class Completion(ctypes.Structure):
    _fields_ = [("tag", c_uint64), ("code", c_int), ("status", c_uint32),
                ("detail", c_uint32), ("reserved", c_uint32),
                ("run_nanoseconds", c_uint64)]


class Failed(Exception):
    def __init__(self, what, error):
        self.what, self.code = what, error.code
        self.message = error.message.decode(errors="replace")
        super().__init__(f"{what}: {self.code} {self.message}")


class Library:
    def __init__(self, programs):
        path = Path(programs).parent / "lib" / "libquern.so.0"
        self.functions = ctypes.CDLL(str(path))

    def call(self, name, *words):
        error = ErrorText()
        function = getattr(self.functions, "quern_" + name)
        if function(*words, byref(error)) != 0:
            raise Failed(name, error)

    def make(self, name, *words):
        made = c_void_p()
        self.call(name, *words, byref(made))
        return made

    def drop(self, name, handle):
        function = getattr(self.functions, "quern_" + name)
        function.restype = None
        function(handle)


class Client:
    """Connects to the daemon in `folder`."""

    def __init__(self, library, folder, fail_fast=False, threads=1):
        self.library = library
        options = Options(ctypes.sizeof(Options),
                          f"{folder}/rpc.sock".encode(),
                          f"{folder}/attach.sock".encode(), None, threads,
                          60_000, 1, fail_fast)
        self.handle = library.make("client_create", byref(options))

    def close(self):
        self.library.drop("client_destroy", self.handle)

    def compile(self, text, entry=None, timeout_ms=0):
        """A kernel, for release()."""
        text = text.encode()
        source = Source(ctypes.sizeof(Source), 0, 0, text, len(text),
                        entry.encode() if entry else None, None, 0,
                        timeout_ms)
        return self.library.make("compile", self.handle, byref(source))

    def lookup(self, key):
        return self.library.make("lookup", self.handle, key)

    def release(self, kernel):
        self.library.drop("kernel_release", kernel)

    def key(self, kernel):
        key = (ctypes.c_uint8 * 32)()
        self.library.functions.quern_kernel_key(kernel, key)
        return bytes(key)

    def launch(self, kernel, programs, arguments):
        """`arguments`: addresses and integers."""
        words = (c_uint64 * len(arguments))(*arguments)
        self.library.call("launch_grid", self.handle, kernel,
                          Grid(programs, 1, 1), words,
                          c_size_t(len(arguments)), 0)


class Session:
    """Served launches of a client."""

    def __init__(self, client):
        self.library = client.library
        self.handle = self.library.make("session_create", client.handle)
        self.buffers, self.ring = [], None

    def close(self):
        self.close_ring()
        for buffer in self.buffers:
            self.library.drop("buffer_destroy", buffer)
        self.library.drop("session_destroy", self.handle)

    def close_ring(self):
        if self.ring:
            self.library.drop("ring_destroy", self.ring)
        self.ring = None

    def open_ring(self, slots):
        self.close_ring()
        self.ring = self.library.make("ring_create", self.handle, slots)

    def load(self, key):
        kernel = c_uint32()
        self.library.call("session_load", self.handle, key, byref(kernel))
        return kernel.value

    def unload(self, kernel):
        self.library.call("session_unload", self.handle, kernel)

    def buffer(self, size_bytes):
        """(address here, argument of a launch)"""
        made = self.library.make("buffer_create", self.handle,
                                 c_uint64(size_bytes))
        self.buffers.append(made)
        data = self.library.functions.quern_buffer_data
        data.restype = c_void_p
        argument = self.library.functions.quern_buffer_argument
        argument.restype = c_uint64
        return data(made), argument(made, c_uint64(0))

    def submit(self, tag, kernel, programs, arguments):
        """How many it took: 1, or 0 if the ring is full."""
        words = (c_uint64 * len(arguments))(*arguments)
        launch = ServedLaunch(tag, kernel, 0, Grid(programs, 1, 1), 0, words,
                              len(arguments))
        count = c_size_t()
        self.library.call("ring_submit", self.ring, byref(launch),
                          c_size_t(1), byref(count))
        return count.value

    def wait(self, timeout_ms=60_000):
        """[(tag, code)]"""
        done = (Completion * COMPLETION_CODES_MAX)()
        count = c_size_t()
        self.library.call("ring_wait", self.ring, done,
                          c_size_t(COMPLETION_CODES_MAX), timeout_ms,
                          byref(count))
        return [(each.tag, each.code) for each in done[:count.value]]
