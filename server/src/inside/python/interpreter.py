# The interpreter of a session: a process of its own, so that code that crashes or exits takes nothing along but its
# variables. The agent tells it what to run, and reads what it prints from its stdout and stderr. PARTS and CONTROL (the
# file descriptor of the connection to the agent) are set before this runs.
import ast
import fcntl
import getpass
import io
import json
import linecache
import os
import re
import rlcompleter
import signal
import struct
import sys
import termios
import threading
import time
import traceback
import types

INPUT_NAME = "<input-%d>"
MOST_COMPLETIONS = 200


class Control:
    """Lines of JSON to and from the agent."""

    def __init__(self, descriptor):
        os.set_inheritable(descriptor, False)
        self._descriptor = descriptor
        self._lines = open(descriptor, "rb", closefd=False)

    def hear(self):
        line = self._lines.readline()
        if not line:
            os._exit(0)  # the agent has gone, and nobody can reach us any more
        return json.loads(line.decode())

    def say(self, **event):
        rest = json.dumps(event).encode() + b"\n"
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]


class Pipe(io.RawIOBase):
    """stdout or stderr. Waits until the agent has taken what was written to the other of the two: their order is kept."""

    def __init__(self, descriptor, other):
        self._descriptor = descriptor
        self._other = other

    def writable(self):
        return True

    def fileno(self):
        return self._descriptor

    def write(self, data):
        # A program in the background may fill the other one for ever: then the order is only nearly kept.
        for _ in range(1000):
            if not has_unread(self._other):
                break
            time.sleep(0.0005)
        return os.write(self._descriptor, data)


def has_unread(pipe):
    try:
        return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0\0\0\0"))[0] > 0
    except OSError:
        return False


def text_stream(descriptor, other, errors):
    return io.TextIOWrapper(io.BufferedWriter(Pipe(descriptor, other)), "utf-8", errors, line_buffering=True)


class Keyboard(io.TextIOBase):
    """stdin: reading from it asks whoever runs the code."""

    def __init__(self, ask):
        self._ask = ask
        self._rest = ""

    def readable(self):
        return True

    def fileno(self):
        return 0

    def readline(self, size=-1):
        if not self._rest:
            self._rest = self._ask(False) + "\n"
        end = len(self._rest) if size is None or size < 0 else size
        line, self._rest = self._rest[:end], self._rest[end:]
        return line

    read = readline


class Interpreter:
    def __init__(self, control):
        self._control = control
        self._process = os.getpid()
        self._runs = 0
        self._running = False
        self._module = types.ModuleType("__main__")
        self._module.__builtins__ = __builtins__

    def prepare(self):
        """What code finds: a module of its own, streams to the agent, imports from the work folder first."""
        sys.modules["__main__"] = self._module
        sys.argv = [""]
        sys.path.insert(0, "")
        sys.stdout = sys.__stdout__ = text_stream(1, 2, "strict")
        sys.stderr = sys.__stderr__ = text_stream(2, 1, "backslashreplace")
        sys.stdin = sys.__stdin__ = Keyboard(self._ask)
        getpass.getpass = self._ask_secret
        signal.signal(signal.SIGINT, self._interrupted)

    def serve(self):
        while True:
            wish = self._control.hear()
            if wish["do"] == "run":
                self._control.say(event="done", **self._run(wish["code"]))
            elif wish["do"] == "complete":
                completions = self._complete(wish["text"])
                self._control.say(event="completed", question=wish["question"], completions=completions)

    def _interrupted(self, *_):
        if self._running:
            raise KeyboardInterrupt

    def _run(self, code):
        """Answers the exit code, which is 0 also where the code raised: that is told apart."""
        try:
            self._running = True
            self._control.say(event="started")
            try:
                outcome = self._execute(code)
            finally:
                self._running = False
        except BaseException:  # an interrupt in the very moment in which the code ended
            outcome = {"exitCode": 0, "raised": True}
        if os.getpid() != self._process:
            os._exit(0)  # a child that the code forked, and that came back from it
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except Exception:  # replaced or closed by the code: nothing of it is left to be printed
                pass
        return outcome

    def _execute(self, code):
        self._runs += 1
        name = INPUT_NAME % self._runs
        linecache.cache[name] = (len(code), None, code.splitlines(True), name)
        names = self._module.__dict__
        try:
            tree = ast.parse(code, name)
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, name, "exec", dont_inherit=True), names)
            if last is not None:
                shown = ast.Expression(last.value)
                sys.displayhook(eval(compile(shown, name, "eval", dont_inherit=True), names))
        except SystemExit as end:
            return {"exitCode": exit_code_of(end), "raised": False}
        except BaseException:
            tell_error(sys.exc_info()[1])
            return {"exitCode": 0, "raised": True}
        return {"exitCode": 0, "raised": False}

    def _ask(self, is_password):
        if not self._running or threading.current_thread() is not threading.main_thread():
            raise EOFError("only code that is being run, in its main thread, can be given input")
        sys.stdout.flush()
        self._control.say(event="input", isPassword=is_password)
        return self._control.hear()["text"]

    def _ask_secret(self, prompt="Password: ", stream=None):
        print(prompt, end="", file=stream or sys.stdout, flush=True)
        return self._ask(True)

    def _complete(self, text):
        """What the last word of this line may become."""
        word = re.search(r"[\w.]*$", text).group()
        if not word:
            return []
        completer = rlcompleter.Completer(self._module.__dict__)
        found = []
        try:
            while len(found) < MOST_COMPLETIONS:
                completion = completer.complete(word, len(found))
                if completion is None:
                    break
                found.append(completion)
        except Exception:  # an object that cannot be looked into has no completions
            pass
        return found


def exit_code_of(end):
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code & 0xFF
    print(end.code, file=sys.stderr)
    return 1


def tell_error(error):
    """Without the frames that are ours: none, for code that did not compile."""
    trace = error.__traceback__
    while trace is not None and not trace.tb_frame.f_code.co_filename.startswith("<input-"):
        trace = trace.tb_next
    error.__traceback__ = trace
    if sys.excepthook is sys.__excepthook__:
        traceback.print_exception(type(error), error, trace)  # which finds the source of the code, as the other does not
    else:
        sys.excepthook(type(error), error, trace)


INTERPRETER = Interpreter(Control(CONTROL))
INTERPRETER.prepare()
INTERPRETER.serve()
