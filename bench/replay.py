"""A server that says over and over what AWS once answered: `python -m bench.replay` with the answers on stdin.

In a process of its own, so that its work is not counted; an engine that really works would only add waiting.
"""

from __future__ import annotations

import base64
import itertools
import json
import socketserver
import sys
import threading

_answers: itertools.cycle[bytes]
_lock = threading.Lock()


class Replay(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self) -> None:
        while self.rfile.readline():
            length = 0
            while (line := self.rfile.readline().strip().lower()) != b"":
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            self.rfile.read(length)
            with _lock:
                answer = next(_answers)
            self.wfile.write(answer)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


def main() -> None:
    global _answers
    _answers = itertools.cycle([base64.b64decode(answer) for answer in json.loads(sys.stdin.readline())])
    with Server(("127.0.0.1", 0), Replay) as server:
        print(server.server_address[1], flush=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.read()  # until the parent is gone


if __name__ == "__main__":
    main()
