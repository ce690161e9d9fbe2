# Who asks the agent, over its socket. Part of the agent: its parts are run as one program.
import json
import selectors

PIECE = 65536


class Caller:
    """One question, one answer, and word that the answer has arrived."""

    def __init__(self, connection):
        self.connection = connection
        self.heard = b""
        self.unsent = b""
        self.asked = None  # until it is answered
        self.deadline = 0.0
        self.run = None
        self.taken = []  # what was answered of the run's console, until it has arrived

    def answer(self, **told):
        self.asked = None
        self.unsent += json.dumps(told).encode() + b"\n"


class Callers:
    """The connections, with lines of JSON in both directions. on_message(caller, message) and on_gone(caller) are told."""

    def __init__(self, listener, selector, on_message, on_gone):
        self.listener = listener
        self.selector = selector
        self.on_message = on_message
        self.on_gone = on_gone
        self.all = set()
        listener.setblocking(False)
        selector.register(listener, selectors.EVENT_READ, lambda _: self.accept())

    def accept(self):
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return  # gone already
        connection.setblocking(False)
        caller = Caller(connection)
        self.all.add(caller)
        self.selector.register(connection, selectors.EVENT_READ, lambda events: self.serve(caller, events))

    def serve(self, caller, events):
        try:
            if events & selectors.EVENT_WRITE:
                caller.unsent = caller.unsent[caller.connection.send(caller.unsent) :]
            if events & selectors.EVENT_READ:
                self.read(caller)
        except BlockingIOError:
            pass
        except (OSError, ValueError, KeyError):
            self.drop(caller)

    def read(self, caller):
        data = caller.connection.recv(PIECE)
        if not data:
            return self.drop(caller)
        lines = (caller.heard + data).split(b"\n")
        caller.heard = lines.pop()
        for line in lines:
            self.on_message(caller, json.loads(line.decode()))

    def drop(self, caller):
        self.all.discard(caller)
        self.selector.unregister(caller.connection)
        caller.connection.close()
        self.on_gone(caller)

    def send_what_is_unsent(self):
        for caller in self.all:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if caller.unsent else 0)
            key = self.selector.get_key(caller.connection)
            if key.events != events:
                self.selector.modify(caller.connection, events, key.data)
