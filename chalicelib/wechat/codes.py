"""Mini-program codes (小程序码): round images that open a page with a short text of ours."""

from __future__ import annotations

import re

from chalicelib.wechat import settings
from chalicelib.wechat.client import mini_program

_SCENE = r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]{1,32}"
_PAGE = r"[^/?#\s][^?#\s]*"
_EDITIONS = {"formal": "release", "trial": "trial", "developer": "develop"}


def mini_program_code(scene: str, page: str, *, width: int = 430) -> bytes:
    """The image (PNG or JPEG) of a code that opens `page` with `scene`, as many as we like, valid for ever:
    an end or a single use is our own business.

    ValueError if WeChat would not take it: `scene` is 1 to 32 of its visible characters (no %, no Chinese),
    `page` has no leading slash and no query, `width` is 280 to 1280 pixels.
    """
    if not re.fullmatch(_SCENE, scene):
        raise ValueError(f"not a scene: {scene!r}")
    if not re.fullmatch(_PAGE, page):
        raise ValueError(f"not a page: {page!r}")
    if not 280 <= width <= 1280:
        raise ValueError(f"not a width: {width}")
    state = settings.options().miniprogram_state
    return mini_program().image(
        "/wxa/getwxacodeunlimit",
        {
            "scene": scene,
            "page": page,
            "width": width,
            "env_version": _EDITIONS[state],
            # Pages not yet released exist in the other editions only, where WeChat would refuse them.
            "check_path": state == "formal",
        },
    )
