"""Stands for a worker's process at its host: has the worker forked by `fork_server`, and ends as it does.

Run by Layerlift's plug-ins in place of its own Python, after the path of the server's socket. The worker has this
process's standard input, output and errors, its environment and folder; it is killed where this one is, and gets the
SIGTERM that this one gets.
"""

import json
import os
import signal
import socket
import struct
import sys

path, *command = sys.argv[1:]
if command != ["-I", "-m", "layerlift.worker"]:
    sys.exit(f"This is no worker's command line: {command}")
server = socket.socket(socket.AF_UNIX)
server.connect(path)
answers, told = os.pipe()
request = {
    "program": "worker",
    "arguments": [],
    "environ": dict(os.environ),
    "folder": os.getcwd(),  # noqa: PTH109 - pathlib takes as long as all else here
    "session": False,
    "terminal": False,
    "limit": 0,
    "bound": True,
}
text = json.dumps(request).encode()
socket.send_fds(server, [struct.pack("=I", len(text)), text], [0, 1, 2, told])
server.close()
for file in (0, 1, 2, told):
    os.close(file)
with os.fdopen(answers) as lines:
    worker = int(lines.readline())
    signal.signal(signal.SIGTERM, lambda number, _: os.kill(worker, number))
    status = int(lines.readline() or 1)
if status < 0:
    signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
sys.exit(status)
