"""POST /wxa/getwxacodeunlimit: a picture with the scene in it."""

import io
import re

import segno

from .catalogue import APPID
from .errors import WeChatError
from .world import World

_SCENE = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]+")
_PAGE = re.compile(r"[\w-]+(/[\w-]+)*", re.ASCII)


def code_picture(world: World, body: dict[str, object]) -> bytes:
    """PNG bytes. WeChat draws its round code; this is a QR code any phone or test can read.

    Its text is `wxacode:<appid>?page=<page>&scene=<scene>`.
    """
    scene, page, width = body.get("scene"), body.get("page", ""), body.get("width", 430)
    if not isinstance(scene, str) or not 1 <= len(scene) <= 32:
        raise WeChatError(40169)
    if not _SCENE.fullmatch(scene):
        raise WeChatError(40129)
    if not isinstance(page, str) or (page and not _PAGE.fullmatch(page)):
        raise WeChatError(41030)
    if body.get("check_path", True) and page in world.settings.missing_pages:
        raise WeChatError(41030)
    if body.get("env_version", "release") not in ("release", "trial", "develop"):
        raise WeChatError(40097, "env_version")
    if not isinstance(width, int) or not 280 <= width <= 1280:
        raise WeChatError(40097, "width")
    code = segno.make(f"wxacode:{APPID}?page={page}&scene={scene}", error="m", micro=False)
    picture = io.BytesIO()
    code.save(picture, kind="png", scale=max(1, width // code.symbol_size()[0]))
    return picture.getvalue()
