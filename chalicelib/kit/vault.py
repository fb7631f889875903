"""Personal data, readable only while its owner's key exists.

Each owner (a resident, or a request filed for somebody without WeChat) has one AES-256-GCM data key,
wrapped by KMS and kept in a table of its own with a restore window of one day. Destroying the key makes
everything sealed with it unreadable at once and everywhere, backups of the main table included.

The wrapped key is read from the table every time, consistently, so that destruction bites at once in
every container; only the unwrapping by KMS is remembered.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist, PutError
from pynamodb.models import Model

from chalicelib.kit import aws
from chalicelib.kit.errors import NotFound

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEYS_REMEMBERED = 500
_NONCE_BYTES = 12


KeyDestroyed = NotFound.named("personal_data_destroyed", "这位用户已注销，个人信息已经销毁。")


class VaultKey(Model):
    """`subject`: one wrapped data key."""

    class Meta:
        table_name = os.environ.get("VAULT_TABLE_NAME", "weijiayuan-vault")
        connect_timeout_seconds = 1
        read_timeout_seconds = 4
        max_retry_attempts = 2

    subject = UnicodeAttribute(hash_key=True)
    wrapped = BinaryAttribute(legacy_encoding=False)


def open_for(subject: str) -> None:
    """Give a subject a key, unless it has one."""
    made = aws.client("kms").generate_data_key(
        KeyId=os.environ["VAULT_KEY_ID"], KeySpec="AES_256", EncryptionContext={"subject": subject}
    )
    try:
        VaultKey(subject, wrapped=made["CiphertextBlob"]).save(VaultKey.subject.does_not_exist())
    except PutError as error:
        if aws.error_code(error) != "ConditionalCheckFailedException":
            raise
    else:
        # What is sealed next is almost always this subject's: KMS need not unwrap what it has just made.
        _unwrapped.remember(made["CiphertextBlob"], made["Plaintext"])


def seal(subject: str, field: str, text: str) -> bytes:
    """Encrypt one field; it opens only for the same subject and the same field."""
    return seal_together(subject, {field: text})[field]


def seal_together(subject: str, texts: Mapping[str, str]) -> dict[str, bytes]:
    """Encrypt several fields of one subject, by their names: the key is fetched once."""
    cipher = _cipher(subject)
    nonces = {field: secrets.token_bytes(_NONCE_BYTES) for field in texts}
    return {
        field: nonces[field] + cipher.encrypt(nonces[field], text.encode(), f"{subject}|{field}".encode())
        for field, text in texts.items()
    }


def read(subject: str, field: str, sealed: bytes) -> str:
    """Decrypt one field. Raises KeyDestroyed when the subject's key is gone."""
    return read_several(subject, [(field, sealed)])[0]


def read_together(subject: str, fields: Mapping[str, bytes]) -> dict[str, str]:
    """The same for several fields of one subject, by their names."""
    return dict(zip(fields, read_several(subject, fields.items()), strict=True))


def read_several(subject: str, fields: Iterable[tuple[str, bytes]]) -> list[str]:
    """The same for pairs of a field and what is sealed: the key is fetched once."""
    cipher = _cipher(subject)
    return [
        cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], f"{subject}|{field}".encode()).decode()
        for field, sealed in fields
    ]


def destroy(subject: str) -> None:
    """Delete the key, for ever. Does nothing when there is none."""
    VaultKey(subject).delete()


def _cipher(subject: str) -> AESGCM:
    try:
        wrapped = VaultKey.get(subject, consistent_read=True).wrapped
    except DoesNotExist as error:
        raise KeyDestroyed() from error
    return _unwrapped.get(subject, wrapped)


class _Unwrapped:
    """Data keys this container has had unwrapped, the least used dropped first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ciphers: OrderedDict[bytes, AESGCM] = OrderedDict()

    def get(self, subject: str, wrapped: bytes) -> AESGCM:
        with self._lock:
            if wrapped in self._ciphers:
                self._ciphers.move_to_end(wrapped)
                return self._ciphers[wrapped]
        key = aws.client("kms").decrypt(CiphertextBlob=wrapped, EncryptionContext={"subject": subject})["Plaintext"]
        return self.remember(wrapped, key)

    def remember(self, wrapped: bytes, key: bytes) -> AESGCM:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # 14 ms that most requests never need

        cipher = AESGCM(key)
        with self._lock:
            self._ciphers[wrapped] = cipher
            if len(self._ciphers) > _KEYS_REMEMBERED:
                self._ciphers.popitem(last=False)
        return cipher


_unwrapped = _Unwrapped()
