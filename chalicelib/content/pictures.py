"""From what a phone sent to what may be shown: a plain JPEG without EXIF, GPS or anything else beside the pixels."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from PIL.Image import Image

LONGEST_SIDE = 1600
THUMBNAIL_SIDE = 320
MOST_PIXELS = 50_000_000  # what a good phone takes; as pixels in memory 150 MB, a tenth of what the function has
_FORMATS = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG"}


class BadPicture(Exception):
    """`reason` is told to whoever sent it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Picture(msgspec.Struct, frozen=True):
    jpeg: bytes
    thumbnail: bytes
    width: int
    height: int

    @property
    def fingerprint(self) -> str:
        """Tells apart what two uploads of one form contained."""
        return hashlib.sha256(self.jpeg).hexdigest()[:16]


def clean(sent: bytes) -> Picture:
    """Read the pixels, turn them upright, make them smaller, write them anew. Raises BadPicture."""
    kind = next((name for start, name in _FORMATS.items() if sent.startswith(start)), None)
    if kind is None:
        raise BadPicture("不是 JPG 或 PNG 图片")
    from PIL import Image, ImageOps  # 60 ms that only the photo worker pays

    # Other formats' decoders never see the bytes; sizes are judged from the header, before a pixel is unpacked.
    try:
        with Image.open(io.BytesIO(sent), formats=[kind]) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise BadPicture("图片尺寸太大")
            opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # JPEG only: unpacks a smaller version at once
            opened.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(opened)
            picture = _opaque(upright)
    except BadPicture:
        raise
    except Image.DecompressionBombError as error:  # Pillow's own limit, far above ours, is met first
        raise BadPicture("图片尺寸太大") from error
    except Exception as error:  # noqa: BLE001 - a hostile file makes a decoder raise anything
        raise BadPicture("图片已损坏，打不开") from error
    small = picture.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return Picture(_jpeg(picture), _jpeg(small), picture.width, picture.height)


def _opaque(image: Image) -> Image:
    """On white, in plain RGB: a fresh image, so nothing that was attached to the old one comes along."""
    from PIL import Image as Images

    with_alpha = image.convert("RGBA")
    white = Images.new("RGB", image.size, "white")
    white.paste(with_alpha, mask=with_alpha)
    return white


def _jpeg(image: Image) -> bytes:
    written = io.BytesIO()
    image.save(written, "JPEG", quality=85, optimize=True)
    return written.getvalue()
