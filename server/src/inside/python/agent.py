# Berth's agent inside a session: keeps an interpreter with its variables, runs what it is asked to one after the other,
# and keeps what was printed until somebody has taken it. Servers come and go; it ends with the container.
# PARTS (the interpreter's text, and the socket to listen on) is set before this runs; console.py and callers.py go before.
import codecs
import collections
import itertools
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time

MOST_RUNS = 64  # that wait, go on, or have ended and nobody has taken their answer
PATIENCE = 5  # times as long as a question waits: when there is none for so long, nobody reads any more
GRACE = 5  # seconds in which a run whose time is up may heed the interrupt

# The work folder must not stand in for Python's own modules until the interpreter has them.
BEGIN = (
    "import sys; sys.path[:] = [folder for folder in sys.path if folder]; CONTROL = int(sys.argv[1]); "
    "exec(compile(sys.stdin.read(), 'berth-interpreter', 'exec'))"
)


class Run:
    def __init__(self, asked):
        self.id = asked["run"]
        self.wish = {name: asked.get(name) for name in ("code", "steps", "timeout")}
        self.steps = collections.deque(asked.get("steps") or [])  # of a batch: [status at its end, command]
        self.console = Console()
        self.asked_at, self.patience = time.monotonic(), 1
        self.reader = None  # the caller who was answered, and has not got it yet
        self.input = None  # {"isPassword": …} while it waits for some
        self.deadline = None
        self.is_late = False
        self.has_started = False
        self.is_unwanted = False  # interrupted before it had started
        self.has_ended = False

    def end(self, exit_code, raised):
        self.has_ended = True
        self.input = None
        if self.is_late:
            self.console.mark(status="exec-timeout", exitCode=124, raised=raised)
        else:
            self.console.mark(status="finished", exitCode=exit_code, raised=raised)


class Agent:
    def __init__(self, listener):
        self.selector = selectors.DefaultSelector()
        self.callers = Callers(listener, self.selector, self.on_message, self.on_gone)
        self.runs = collections.OrderedDict()
        self.current = None
        self.child = None  # of a batch
        self.interpreter = None
        self.control = None
        self.control_heard = b""
        self.questions = itertools.count(1)
        self.between = Console()  # what is printed while nothing runs, by what goes on in the background
        self.is_reading = False
        self.pipes, self.ends, self.decoders = {}, {}, {}
        for stream in ("stdout", "stderr"):
            self.pipes[stream], self.ends[stream] = os.pipe()
            os.set_blocking(self.pipes[stream], False)
            self.decoders[stream] = codecs.getincrementaldecoder("utf-8")("replace")

    def serve(self):
        self.notice_children()
        while True:
            self.start_next()
            for caller in list(self.callers.all):
                self.answer_if_due(caller)
            self.callers.send_what_is_unsent()
            self.read_or_not()
            for key, events in self.selector.select(self.pause()):
                key.data(events)
            self.mind_time()

    def pause(self):
        """Seconds until time alone changes something."""
        now = time.monotonic()
        times = [now + (3600 if self.is_reading else 1)]
        if self.current is not None and self.current.deadline is not None:
            times.append(self.current.deadline)
        for caller in self.callers.all:
            if caller.asked is None:
                continue
            times.append(caller.deadline)
            if caller.run is not None and caller.run.reader is None and caller.run.console.since is not None:
                times.append(caller.run.console.since + caller.asked["flush"])
        return max(0, min(times) - now)

    def notice_children(self):
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(writer)
        self.selector.register(reader, selectors.EVENT_READ, lambda _: (os.read(reader, PIECE), self.on_children()))

    # What is printed.

    @property
    def console(self):
        return self.between if self.current is None else self.current.console

    def read_or_not(self):
        """Who prints faster than somebody reads has to wait; where nobody reads, the oldest is given up."""
        is_read = self.current is not None and time.monotonic() < self.current.asked_at + self.current.patience
        if not is_read:
            self.console.shorten()
        wanted = self.console.size <= KEPT
        if wanted == self.is_reading:
            return
        self.is_reading = wanted
        for stream, pipe in self.pipes.items():
            if wanted:
                self.selector.register(pipe, selectors.EVENT_READ, lambda _, stream=stream: self.read(stream))
            else:
                self.selector.unregister(pipe)

    def read(self, stream):
        """True: there was something."""
        try:
            data = os.read(self.pipes[stream], PIECE)
        except BlockingIOError:
            return False
        self.console.add(stream, self.decoders[stream].decode(data))
        return True

    def read_rest(self):
        """What a program that has ended left in the pipes; not what others write into them for ever."""
        for stream in self.pipes:
            for _ in range(16):
                if not self.read(stream):
                    break
            self.console.add(stream, self.decoders[stream].decode(b"", True))

    # The interpreter.

    def start_interpreter(self):
        self.control, its = socket.socketpair()
        self.control_heard = b""
        hear = lambda _, control=self.control: self.hear_interpreter(control)
        self.selector.register(self.control, selectors.EVENT_READ, hear)
        command = [sys.executable, "-c", BEGIN, str(its.fileno())]
        self.interpreter = self.start(command, pass_fds=[its.fileno()], stdin=subprocess.PIPE)
        its.close()
        try:
            self.interpreter.stdin.write(PARTS["interpreter"].encode())
            self.interpreter.stdin.close()
        except OSError:
            pass  # it has ended: that is noticed where it is listened to

    def start(self, command, stdin=subprocess.DEVNULL, pass_fds=()):
        """In a session of its own: an interrupt is for the process and all that it has started."""
        stdout, stderr = self.ends["stdout"], self.ends["stderr"]
        return subprocess.Popen(
            command, stdin=stdin, stdout=stdout, stderr=stderr, pass_fds=pass_fds, start_new_session=True
        )

    def tell_interpreter(self, **wish):
        if self.interpreter is None:
            self.start_interpreter()
        try:
            self.control.sendall(json.dumps(wish).encode() + b"\n")
        except OSError:
            pass  # as above

    def hear_interpreter(self, control):
        if control is not self.control:
            return  # of one that is gone
        try:
            data = control.recv(PIECE)
        except OSError:
            data = b""
        if not data:
            return self.lose_interpreter()
        lines = (self.control_heard + data).split(b"\n")
        self.control_heard = lines.pop()
        for line in lines:
            self.on_event(json.loads(line.decode()))

    def on_event(self, event):
        kind, run = event.pop("event"), self.current
        if kind == "completed":
            for caller in self.callers.all:
                if caller.asked is not None and caller.asked.get("question") == event["question"]:
                    caller.answer(completions=event["completions"])
        elif kind == "started":
            run.has_started = True
            if run.is_unwanted:
                kill(self.interpreter, signal.SIGINT)
        elif kind == "input":
            self.read_rest()
            run.input = event
        elif kind == "done":
            self.read_rest()
            self.end_current(event["exitCode"], event["raised"])

    def lose_interpreter(self):
        """It crashed, was killed, or the code ended it. The next one, for the next run, begins without its variables."""
        self.selector.unregister(self.control)
        self.control.close()
        kill(self.interpreter, signal.SIGKILL)
        code = exit_code_of(self.interpreter.wait())
        self.interpreter = self.control = None
        self.read_rest()
        why = " (killed; was it out of memory?)" if code == 137 else ""
        self.console.add("stderr", "[the interpreter ended with exit code %d%s: its variables are gone]\n" % (code, why))
        if self.current is not None and not self.current.steps:
            self.end_current(code, True)

    # Runs.

    def start_next(self):
        while self.current is None:
            run = next((run for run in self.runs.values() if not run.has_ended), None)
            if run is None:
                return
            self.current = run
            run.console.begin_with(self.between)
            self.between = Console()
            if run.wish["timeout"] is not None:
                run.deadline = time.monotonic() + run.wish["timeout"]
            if run.steps:
                self.start_step()
            else:
                self.tell_interpreter(do="run", code=run.wish["code"])

    def start_step(self):
        try:
            self.child = self.start(["/bin/sh", "-c", self.current.steps[0][1]])
        except OSError as error:
            self.current.console.add("stderr", "%s\n" % error)
            self.end_current(127)

    def on_children(self):
        if self.interpreter is not None and self.interpreter.poll() is not None:
            # What it forked may hold the connection open: it ends all the same, after what was still said.
            self.control.shutdown(socket.SHUT_RDWR)
        if self.child is not None and self.child.poll() is not None:
            self.end_step(exit_code_of(self.child.returncode))

    def end_step(self, code):
        run, self.child = self.current, None
        self.read_rest()
        status, _ = run.steps.popleft()
        has_failed = status == "build-finished" and code != 0
        if status != "finished":
            run.console.mark(status=status, exitCode=code)
        if has_failed or run.is_late or not run.steps:
            self.end_current(127 if has_failed else code)
        else:
            self.start_step()

    def end_current(self, exit_code, raised=False):
        run, self.current = self.current, None
        run.end(exit_code, raised)

    def interrupt(self, run_id):
        waiting = [run for run in self.runs.values() if not run.has_ended and run_id in (None, run.id)]
        run = self.current if self.current in waiting else next(iter(waiting), None)
        if run is None:
            return
        if run is not self.current:
            run.console.add("stderr", "KeyboardInterrupt\n")
            run.end(130, True)
        elif self.child is not None:
            run.steps = collections.deque([run.steps[0]])
            kill(self.child, signal.SIGINT)
        elif run.has_started:
            run.input = None
            kill(self.interpreter, signal.SIGINT)
        else:
            run.is_unwanted = True

    def mind_time(self):
        run, now = self.current, time.monotonic()
        if run is None or run.deadline is None or now < run.deadline:
            return
        kill(self.child or self.interpreter, signal.SIGKILL if run.is_late else signal.SIGINT)
        run.is_late = True
        run.deadline = now + GRACE

    # Callers.

    def on_message(self, caller, message):
        if message == "taken":
            self.on_taken(caller)
        else:
            caller.asked = message
            caller.deadline = time.monotonic() + message["wait"]
            self.ask(caller, message)

    def ask(self, caller, asked):
        if asked["do"] == "interrupt":
            self.interrupt(asked["run"])
            caller.answer()
        elif asked["do"] == "complete":
            if self.current is not None:
                return caller.answer(completions=[])  # its variables are busy
            asked["question"] = next(self.questions)
            self.tell_interpreter(do="complete", text=asked["text"], question=asked["question"])
        else:
            problem = self.begin(asked) if asked["do"] == "run" else self.go_on(asked)
            if problem is not None:
                return caller.answer(problem=problem)
            caller.run = self.runs[asked["run"]]
            caller.run.asked_at = time.monotonic()
            caller.run.patience = max(1, PATIENCE * asked["wait"])

    def begin(self, asked):
        """A question that is repeated because its answer was lost runs nothing twice."""
        run = Run(asked)
        known = self.runs.get(run.id)
        if known is not None:
            return None if known.wish == run.wish else "id-in-use"
        if len(self.runs) >= MOST_RUNS:
            forgotten = next((old for old in self.runs.values() if old.has_ended and old.reader is None), None)
            if forgotten is None:
                return "too-many-runs"
            del self.runs[forgotten.id]
        self.runs[run.id] = run
        return None

    def go_on(self, asked):
        run = self.runs.get(asked["run"])
        if run is None:
            return "unknown-run"
        if asked["do"] == "input":
            if run.input is None:
                return "no-input-wanted"
            run.input = None
            self.tell_interpreter(do="input", text=asked["text"])
        return None

    def answer_if_due(self, caller):
        asked, run = caller.asked, caller.run
        if asked is None:
            return
        is_late = time.monotonic() >= caller.deadline
        if run is None and is_late:
            caller.answer(completions=[])
        elif run is not None and run.reader is None and (is_late or self.is_worth_telling(run, asked)):
            self.tell(caller, run)
        elif run is not None and is_late:
            caller.answer(run=run.id, status="continued", console=[])

    def is_worth_telling(self, run, asked):
        console = run.console
        if console.is_marked or run.input is not None or console.size >= asked["limit"]:
            return True
        return console.since is not None and time.monotonic() >= console.since + asked["flush"]

    def tell(self, caller, run):
        run.reader = caller
        run.asked_at = time.monotonic()
        caller.taken = run.console.take(caller.asked["limit"])
        told = {"status": "continued"}
        if run.input is not None and not run.console.pieces:
            told.update(run.input, status="waiting-input")
        if caller.taken and caller.taken[-1][0] == "status":
            told.update(caller.taken[-1][1])
        caller.answer(run=run.id, console=[piece for piece in caller.taken if piece[0] != "status"], **told)

    def on_taken(self, caller):
        run, taken, caller.taken = caller.run, caller.taken, []
        if run is None or run.reader is not caller:
            return
        run.reader = None
        if run.has_ended and not run.console.pieces and taken and taken[-1][0] == "status":
            self.runs.pop(run.id, None)

    def on_gone(self, caller):
        """One who goes before the answer has arrived has not read it."""
        if caller.run is not None and caller.run.reader is caller:
            caller.run.reader = None
            caller.run.console.give_back(caller.taken)


def kill(process, number):
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass


def exit_code_of(returned):
    """As a shell tells it: 128 and the signal, for what was killed."""
    return 128 - returned if returned < 0 else returned


Agent(socket.socket(fileno=PARTS["listener"])).serve()
