"""Personal data, readable only while its owner's key exists."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidTag

from chalicelib.kit import ids, vault
from chalicelib.kit.vault import KeyDestroyed, VaultKey
from tests.engine.budget import budget
from tests.faults.faults import fault

PHONE = "18767315555"


@pytest.fixture
def subject() -> str:
    made = ids.new_id("resident")
    vault.open_for(made)
    return made


def test_what_was_sealed_can_be_read(subject):
    assert vault.read(subject, "phone", vault.seal(subject, "phone", PHONE)) == PHONE
    assert vault.read(subject, "note", vault.seal(subject, "note", "月河小区 🏠\n")) == "月河小区 🏠\n"
    assert vault.read(subject, "note", vault.seal(subject, "note", "")) == ""


def test_several_fields_are_sealed_and_read_with_one_look_at_the_key(subject):
    texts = {"name": "陈建君", "birth": "1986-02-10"}
    with budget() as spent:
        sealed = vault.seal_together(subject, texts)
        assert vault.read_together(subject, sealed) == texts
    assert spent.calls.count("dynamodb GetItem") == 2
    assert vault.read(subject, "name", sealed["name"]) == "陈建君"
    with pytest.raises(InvalidTag):
        vault.read_together(subject, {"name": sealed["birth"]})


def test_the_same_text_is_never_sealed_alike(subject):
    sealed = {vault.seal(subject, "phone", PHONE) for _ in range(20)}
    assert len(sealed) == 20
    assert not any(PHONE.encode() in each for each in sealed)


def test_it_opens_for_nobody_else(subject):
    other = ids.new_id("resident")
    vault.open_for(other)
    with pytest.raises(InvalidTag):
        vault.read(other, "phone", vault.seal(subject, "phone", PHONE))


def test_it_opens_for_no_other_field(subject):
    with pytest.raises(InvalidTag):
        vault.read(subject, "name", vault.seal(subject, "phone", PHONE))


def test_what_was_changed_does_not_open(subject):
    sealed = vault.seal(subject, "phone", PHONE)
    for at in range(len(sealed)):
        with pytest.raises(InvalidTag):
            vault.read(subject, "phone", sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :])


def test_a_stolen_wrapped_key_serves_no_other_subject(subject):
    """Somebody who writes into the vault table cannot give one person's key to another: KMS checks whose it is."""
    other = ids.new_id("resident")
    VaultKey(other, wrapped=VaultKey.get(subject).wrapped).save()
    vault._unwrapped._ciphers.clear()
    with pytest.raises(ClientError, match="InvalidCiphertextException"):
        vault.seal(other, "phone", PHONE)


def test_a_destroyed_key_ends_it_at_once_though_this_container_remembers_it(subject):
    sealed = vault.seal(subject, "phone", PHONE)
    assert vault.read(subject, "phone", sealed) == PHONE
    vault.destroy(subject)
    with pytest.raises(KeyDestroyed) as caught:
        vault.read(subject, "phone", sealed)
    assert caught.value.status == 404
    with pytest.raises(KeyDestroyed):
        vault.seal(subject, "phone", PHONE)


def test_destroying_twice_or_what_never_was_does_nothing(subject):
    vault.destroy(subject)
    vault.destroy(subject)
    vault.destroy(ids.new_id("resident"))


def test_a_new_key_does_not_bring_back_what_the_old_one_sealed(subject):
    sealed = vault.seal(subject, "phone", PHONE)
    vault.destroy(subject)
    vault.open_for(subject)
    with pytest.raises(InvalidTag):
        vault.read(subject, "phone", sealed)


def test_who_has_a_key_keeps_it(subject):
    sealed = vault.seal(subject, "phone", PHONE)
    vault.open_for(subject)
    assert vault.read(subject, "phone", sealed) == PHONE


def test_of_many_openings_at_once_one_counts():
    subject = ids.new_id("resident")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: vault.open_for(subject), range(8)))
        sealed = list(pool.map(lambda n: vault.seal(subject, "phone", str(n)), range(8)))
    assert [vault.read(subject, "phone", each) for each in sealed] == [str(n) for n in range(8)]


def test_reading_again_costs_one_read_and_no_kms(subject):
    sealed = vault.seal(subject, "phone", PHONE)
    with budget() as spent:
        vault.read(subject, "phone", sealed)
    assert spent.calls == ["dynamodb GetItem"]
    assert spent.read_units == 1


def test_only_so_many_keys_are_remembered(monkeypatch):
    monkeypatch.setattr(vault, "_KEYS_REMEMBERED", 3)
    monkeypatch.setattr(vault, "_unwrapped", vault._Unwrapped())
    subjects = [ids.new_id("resident") for _ in range(5)]
    for each in subjects:
        vault.open_for(each)
        vault.seal(each, "phone", PHONE)
    assert len(vault._unwrapped._ciphers) == 3


@pytest.mark.parametrize("kind", ["throttled", "error_500", "cut_before", "answer_lost"])
def test_a_short_trouble_of_kms_or_the_table_is_not_noticed(kind):
    subject = ids.new_id("resident")
    for call in (1, 2):
        with fault(call=call, kind=kind, attempts=1) as it:
            vault.open_for(subject)
        assert it.struck
    assert vault.read(subject, "phone", vault.seal(subject, "phone", PHONE)) == PHONE
