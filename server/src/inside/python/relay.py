# Runs inside a session for one question to the agent: starts the agent if there is none, hands the question on, prints
# the answer, and hands on that it has arrived. Its own text and the question come by stdin, each one line of JSON.
import sys

if sys.version_info < (3, 7):
    sys.exit(127)  # as if there were no Python: the session is treated as one with a shell only

import fcntl
import json
import os
import signal
import socket
import stat
import subprocess
import tempfile

# An agent is told its parts by stdin: they would be too long, and too visible, as arguments.
START = "import json, sys; PARTS = json.load(sys.stdin); exec(compile(PARTS['agent'], 'berth-agent', 'exec'))"


def hear():
    line = sys.stdin.buffer.readline()
    if not line:
        sys.exit(0)  # whoever asked has gone
    return json.loads(line.decode())


def say(line):
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def private_folder():
    """A folder that nobody else can look into, or could have made in our stead."""
    path = os.path.join(tempfile.gettempdir(), "berth-%d" % os.getuid())
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        pass
    about = os.lstat(path)
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid() or about.st_mode & 0o077:
        sys.exit("%s belongs to somebody else, or others may look into it: remove it" % path)
    return path


def connect(path):
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(path)
        return connection
    except OSError:
        connection.close()
        return None


def start_agent(path, parts):
    """It listens before it runs, so that nobody has to wait until it does. Answers its process id."""
    if os.path.lexists(path):
        os.unlink(path)  # of one that has ended
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    parts["listener"] = listener.fileno()
    # Which exec brought it is nothing to it: it must not end with that one.
    environment = {name: value for name, value in os.environ.items() if name != "BERTH_EXEC"}
    with open(path + ".log", "w") as log:
        agent = subprocess.Popen(
            [sys.executable or "python3", "-I", "-c", START],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log,
            pass_fds=[listener.fileno()],
            start_new_session=True,
            env=environment,
        )
    agent.stdin.write(json.dumps(parts).encode())
    agent.stdin.close()
    listener.close()
    return agent.pid


def reach_agent(path):
    found = connect(path)
    if found is not None:
        return found
    with open(path + ".lock", "a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = connect(path)  # somebody else may have been faster
        if found is None:
            say(b'{"need": "agent"}\n')
            pid = start_agent(path, hear())
            lock.truncate(0)
            lock.write("%d\n" % pid)
            found = connect(path)
    if found is None:
        sys.exit("the agent does not listen at %s" % path)
    return found


asked = hear()
# Whoever asked may vanish without a word, and an answer that nobody took must not be held back from others.
signal.alarm(int(asked["wait"]) + 15)
agent = reach_agent(os.path.join(private_folder(), asked["socket"]))
agent.sendall(json.dumps(asked).encode() + b"\n")
answer = agent.makefile("rb").readline()
if not answer.endswith(b"\n"):
    sys.exit("the agent ended before it answered")
say(answer)
if hear() == "taken":
    agent.sendall(b'"taken"\n')
    agent.close()
