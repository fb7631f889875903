"""Typed, unguessable ids (`help_4f…`), and codes short enough to read out.

python-ulid costs 47 ms of a cold start (it probes for pydantic), and nothing sorts by id here: a list
sorts by its own time key. So ids are 128 random bits and need no library.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

# Crockford's alphabet without the letters people confuse (I, L, O, U): what a 67-year-old reads out at the desk.
_READABLE = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SLIPS = str.maketrans({"I": "1", "L": "1", "O": "0", " ": None, "-": None})


def new_id(kind: str) -> str:
    return f"{kind}_{_text(secrets.token_bytes(16))}"


def repeatable_id(kind: str, *facts: str) -> str:
    """The same id for the same facts: a repeated request finds what the first one made."""
    return f"{kind}_{_text(hashlib.sha256(chr(0).join((kind, *facts)).encode()).digest()[:16])}"


def pick_up_code(length: int = 8) -> str:
    """Readable characters of five random bits each; guessing one of eight is limited per person by the caller."""
    return "".join(secrets.choice(_READABLE) for _ in range(length))


def repeatable_code(key: bytes, *facts: str, length: int = 8) -> str:
    """A code like that, the same for the same facts, and of no use to who knows the facts without our key."""
    digest = hmac.new(key, chr(0).join(facts).encode(), hashlib.sha256).digest()
    return "".join(_READABLE[byte % len(_READABLE)] for byte in digest[:length])


def as_typed(code: str) -> str:
    """A code as a person types it (lower case, spaces, O for 0), made equal to the one we gave out."""
    return code.upper().translate(_SLIPS)


def _text(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()
