"""`python -m local.api_page --api-url URL --wechat-url URL [--people .local/people.json] [--port 8092]`"""

import argparse
import sys
from pathlib import Path

import uvicorn

from local.api_page import app
from local.wechat.server import HOST, listen


def main() -> int:
    arguments = argparse.ArgumentParser(
        prog="python -m local.api_page", description="A page with the API, on 127.0.0.1 only."
    )
    arguments.add_argument("--api-url", required=True, help="the deployed API, stage included")
    arguments.add_argument("--wechat-url", required=True, help="the WeChat stand-in, which gives the log-in codes")
    arguments.add_argument("--people", type=Path, help='JSON, {"people": [{"label", "openid"}]}')
    arguments.add_argument("--port", type=int, default=8092)
    asked = arguments.parse_args()
    try:
        listener = listen(asked.port)
    except OSError as busy:
        print(f"port {asked.port} on {HOST} cannot be used: {busy.strerror}", file=sys.stderr)
        return 1
    with listener:
        print(f"API page: http://{HOST}:{listener.getsockname()[1]}", flush=True)
        page = app.create(asked.api_url, asked.wechat_url, asked.people)
        uvicorn.Server(uvicorn.Config(page, ws="none", log_level="warning", access_log=False)).run([listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
