"""`python -m local.wechat --port 8091 --callback-url URL [--state-file .local/wechat.json]`"""

import argparse
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from . import server


def main() -> int:
    arguments = argparse.ArgumentParser(
        prog="python -m local.wechat", description="A WeChat stand-in for development, on 127.0.0.1 only."
    )
    arguments.add_argument("--port", type=int, default=8091)
    arguments.add_argument("--callback-url", help="where events are posted; can be set later in /stand-in/settings")
    arguments.add_argument("--state-file", type=Path, help="keeps everything between a graceful stop and a start")
    asked = arguments.parse_args()
    try:
        listener = server.listen(asked.port)
    except OSError as busy:
        print(f"port {asked.port} on {server.HOST} cannot be used: {busy.strerror}", file=sys.stderr)
        return 1
    with listener:
        try:
            stand_in = server.make_server(asked.callback_url, asked.state_file)
        except (OSError, msgspec.DecodeError) as unreadable:
            print(f"{asked.state_file} cannot be read ({unreadable}); delete it to start empty", file=sys.stderr)
            return 1
        print(f"WeChat stand-in: http://{server.HOST}:{listener.getsockname()[1]}", flush=True)
        with suppress(KeyboardInterrupt):  # raised again after everything has been put away
            stand_in.run([listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
