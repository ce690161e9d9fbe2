"""Runs a command on a new terminal of 24 rows and 80 columns, with stdin as its keyboard and stdout as its screen.

Descriptor 3 takes lines: "size ROWS COLS", "mode" (answers "mode raw" or "mode cooked" on stderr), "hangup".
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios


def resize(fd, rows, cols):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))


def leave(pid):
    _, status = os.waitpid(pid, 0)
    sys.exit(os.waitstatus_to_exitcode(status) % 256)


def answer_mode(fd):
    raw = not termios.tcgetattr(fd)[3] & termios.ICANON
    os.write(2, b"mode raw\n" if raw else b"mode cooked\n")


def main():
    ready_read, ready_write = os.pipe()
    pid, fd = pty.fork()
    if pid == 0:
        os.read(ready_read, 1)
        os.closerange(3, 64)
        os.execvp(sys.argv[1], sys.argv[1:])
    resize(fd, 24, 80)
    os.write(ready_write, b"x")
    inputs = [fd, 0, 3]
    while True:
        ready, _, _ = select.select(inputs, [], [])
        if 3 in ready:
            lines = os.read(3, 4096).decode()
            if not lines:
                inputs.remove(3)
            for line in lines.splitlines():
                word, *rest = line.split()
                if word == "size":
                    resize(fd, int(rest[0]), int(rest[1]))
                elif word == "mode":
                    answer_mode(fd)
                elif word == "hangup":
                    os.close(fd)
                    leave(pid)
        if 0 in ready:
            data = os.read(0, 65536)
            if data:
                os.write(fd, data)
            else:
                inputs.remove(0)
        if fd in ready:
            try:
                data = os.read(fd, 65536)
            except OSError:
                data = b""
            if not data:
                leave(pid)
            os.write(1, data)


main()
