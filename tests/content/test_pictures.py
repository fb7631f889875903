"""What phones send, and what others send in their name."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from chalicelib.content import pictures
from tests.content.conftest import picture

SECRET_PLACE = b"30.7522N-120.7500E"


def opened(jpeg: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(jpeg))
    image.load()
    return image


def exif(orientation: int = 1) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010E] = SECRET_PLACE.decode()
    tags[0x8825] = {1: "N", 2: (30.0, 45.0, 8.0), 3: "E", 4: (120.0, 45.0, 0.0)}
    return tags.tobytes()


def test_a_photo_becomes_a_plain_jpeg_with_a_thumbnail():
    cleaned = pictures.clean(picture(size=(4000, 3000)))
    assert (cleaned.width, cleaned.height) == (1600, 1200)
    assert opened(cleaned.jpeg).size == (1600, 1200)
    assert opened(cleaned.thumbnail).size == (320, 240)
    assert opened(cleaned.jpeg).format == opened(cleaned.thumbnail).format == "JPEG"


def test_a_small_photo_is_not_made_larger():
    assert opened(pictures.clean(picture(size=(64, 48))).jpeg).size == (64, 48)


def test_neither_place_nor_device_nor_comments_survive():
    sent = picture(exif=exif(), comment=SECRET_PLACE, icc_profile=b"x" * 20 + SECRET_PLACE)
    assert SECRET_PLACE in sent
    cleaned = pictures.clean(sent)
    for jpeg in (cleaned.jpeg, cleaned.thumbnail):
        assert SECRET_PLACE not in jpeg
        assert b"Exif" not in jpeg
        assert not opened(jpeg).getexif()
        assert set(opened(jpeg).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_what_hides_behind_the_picture_does_not_survive():
    assert SECRET_PLACE not in pictures.clean(picture() + SECRET_PLACE).jpeg


def test_a_photo_taken_sideways_is_turned_upright():
    assert opened(pictures.clean(picture(size=(400, 300), exif=exif(6))).jpeg).size == (300, 400)


def test_a_transparent_png_is_laid_on_white():
    cleaned = pictures.clean(picture((0, 0, 0), kind="PNG"))
    assert opened(cleaned.jpeg).getpixel((5, 5)) == (0, 0, 0)
    clear = io.BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(clear, "PNG")
    assert opened(pictures.clean(clear.getvalue()).jpeg).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_is_taken(mode: str):
    written = io.BytesIO()
    Image.new(mode, (30, 20)).save(written, "PNG")
    assert pictures.clean(written.getvalue()).width == 30


def test_a_jpeg_for_print_is_taken():
    written = io.BytesIO()
    Image.new("CMYK", (30, 20)).save(written, "JPEG")
    assert opened(pictures.clean(written.getvalue()).jpeg).mode == "RGB"


def test_the_same_upload_gives_the_same_picture():
    sent = picture(size=(300, 200), exif=exif(3))
    assert pictures.clean(sent).fingerprint == pictures.clean(sent).fingerprint
    assert pictures.clean(sent).fingerprint != pictures.clean(picture((1, 2, 3))).fingerprint


def gif_bomb() -> bytes:
    """A few bytes that claim 65,535 by 65,535 pixels."""
    return b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\x80\x00\x00" + b"\x00" * 6 + b";"


def png_of(width: int, height: int, rows: bytes = b"") -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\xff",
        b"<html><script>alert(1)</script></html>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"MZ" + bytes(100),
        b"\xfe\xff\xd8\xff",
        gif_bomb(),
        picture(kind="GIF"),
        picture(kind="BMP"),
        picture(kind="TIFF"),
        picture(kind="WEBP"),
    ],
)
def test_what_is_neither_jpeg_nor_png_is_refused(sent: bytes):
    with pytest.raises(pictures.BadPicture) as bad:
        pictures.clean(sent)
    assert bad.value.reason == "不是 JPG 或 PNG 图片"


@pytest.mark.parametrize(
    "sent",
    [
        picture(size=(600, 400))[:1500],
        picture(size=(600, 400), kind="PNG")[:300],
        b"\xff\xd8\xff" + b"\x00" * 500,
        b"\xff\xd8\xff\xe0<script>",
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n" + b"\xff" * 200,
        png_of(0, 0),
        b"\xff\xd8\xff" + gif_bomb(),
    ],
)
def test_a_broken_picture_is_refused(sent: bytes):
    with pytest.raises(pictures.BadPicture) as bad:
        pictures.clean(sent)
    assert bad.value.reason == "图片已损坏，打不开"


def test_a_decompression_bomb_is_refused_before_it_unfolds():
    for side in (7_100, 40_000, 2_000_000_000):
        with pytest.raises(pictures.BadPicture) as bad:
            pictures.clean(png_of(side, side, bytes(1_000_000)))
        assert bad.value.reason == "图片尺寸太大"


def test_a_png_with_a_text_bomb_is_refused():
    notes = PngInfo()
    notes.add_text("note", "A" * 5_000_000, zip=True)
    bomb = io.BytesIO()
    Image.new("RGB", (10, 10)).save(bomb, "PNG", pnginfo=notes)
    assert len(bomb.getvalue()) < 20_000
    with pytest.raises(pictures.BadPicture):
        pictures.clean(bomb.getvalue())
