# What a run has printed. Part of the agent: its parts are run as one program.
import collections
import time

KEPT = 1 << 20  # characters that are kept of a run that nobody reads


class Console:
    """What was printed and not taken yet, in order: [stream, text], and ["status", {…}] where a step ended."""

    def __init__(self):
        self.pieces = collections.deque()
        self.size = 0
        self.since = None  # how long something has been waiting to be taken
        self.left_out = 0

    def add(self, stream, text):
        if not text:
            return
        last = self.pieces[-1] if self.pieces else None
        if last is not None and last[0] == stream and len(last[1]) < 4096:
            last[1] += text
        else:
            self.pieces.append([stream, text])
        self.size += len(text)
        self.since = self.since or time.monotonic()

    def mark(self, **status):
        self.pieces.append(["status", status])

    @property
    def is_marked(self):
        return any(kind == "status" for kind, _ in self.pieces)

    def begin_with(self, earlier):
        """What was printed before, and belongs to nobody."""
        self.left_out = earlier.left_out
        self.give_back(earlier.pieces)

    def shorten(self):
        """Gives up the oldest text."""
        while self.size > KEPT:
            oldest = next(piece for piece in self.pieces if piece[0] != "status")
            self.pieces.remove(oldest)
            self.size -= len(oldest[1])
            self.left_out += len(oldest[1])

    def take(self, limit):
        """As much as one answer may hold of each stream, up to the end of a step."""
        taken = []
        room = {"stdout": limit, "stderr": limit}
        if self.left_out:
            note = "[%d characters are left out here: nobody was reading]\n" % self.left_out
            taken.append(["stderr", note])
            room["stderr"] -= len(note)
            self.left_out = 0
        while self.pieces:
            kind, content = self.pieces.popleft()
            if kind == "status":
                taken.append([kind, content])
                break
            part, rest = content[: room[kind]], content[room[kind] :]
            room[kind] -= len(part)
            self.size -= len(part)
            if part:
                taken.append([kind, part])
            if rest:
                self.pieces.appendleft([kind, rest])
                break
        self.since = time.monotonic() if self.size else None
        return taken

    def give_back(self, taken):
        """They have not arrived: they come first again."""
        self.pieces.extendleft(reversed(taken))
        self.size += sum(len(content) for kind, content in taken if kind != "status")
        if self.size:
            self.since = time.monotonic()
