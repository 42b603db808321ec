#!/usr/bin/python3
# A client with secrets, for privacy_test.py: its process's name, its path, its
# sources and what they name all hold the mark. It does what leaves traces:
# compiles what is right and what is wrong, launches directly and served, and
# crashes an executor. Then it says "ready", and stays.
#
# secretive_client.py TESTS PROGRAMS FOLDER MARK
import ctypes
import sys

PR_SET_NAME = 15


def add(mark):
    return f"""// {mark} comment
#place = loc("/home/{mark}/{mark}_file.py":12:3)
module {{
  tt.func public @{mark}_entry(%out: !tt.ptr<f32>, %far: i64) {{
    %one = arith.constant 1.0 : f32 loc(#place)
    %p = tt.addptr %out, %far : !tt.ptr<f32>, i64 loc(#place)
    tt.store %p, %one : !tt.ptr<f32> loc(#place)
    tt.return loc(#place)
  }} loc(#place)
}} loc(#place)
"""


def wrong(mark):
    """Sources that the compiler refuses, and names in its message."""
    return (f"module {{ {mark} }}",
            add(mark).replace("tt.store", f"tt.{mark}_operation"),
            add(mark).replace("!tt.ptr<f32> loc", f"!tt.{mark}_type loc"),
            f'module {{ tt.func public @{mark}_f() {{ "{mark}.op"() : () -> ()'
            " tt.return } }")


def main():
    tests, programs, folder, mark = sys.argv[1:]
    sys.path.insert(0, tests)
    from libquern import Client, Failed, Library, Session
    ctypes.CDLL(None).prctl(PR_SET_NAME, f"{mark}_proc".encode(), 0, 0, 0)
    client = Client(Library(programs), folder)
    for source in wrong(mark):
        try:
            client.compile(source)
        except Failed as failure:
            assert failure.code in (3, 12), failure
        else:
            raise AssertionError(source)
    try:
        client.compile(add(mark), entry=f"{mark}_no_entry")
    except Failed as failure:
        assert mark in failure.message, failure
    kernel = client.compile(add(mark), entry=f"{mark}_entry")
    memory = (ctypes.c_float * 4)()
    client.launch(kernel, 1, [ctypes.addressof(memory), 0])
    assert memory[0] == 1
    session = Session(client)
    _, argument = session.buffer(4096)
    loaded = session.load(client.key(kernel))
    for far, code in ((0, 0), (1 << 45, 10)):
        session.open_ring(16)
        session.submit(1, loaded, 1, [argument, far])
        assert session.wait() == [(1, code)], code
    session.open_ring(16)  # Its executor lives.
    print("ready", client.key(kernel).hex(), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main()
