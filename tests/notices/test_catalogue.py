"""Every message that anybody can get fits WeChat's fields, before anybody gets it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.kit import clock
from chalicelib.notices import catalogue, rules
from chalicelib.notices.catalogue import FORMS, KINDS, MOMENTS, Kind
from chalicelib.wechat import messages

SHORT = 8  # characters that a fact must be left in a field, or nobody understands it
SLICES = Path(catalogue.__file__).parents[1]


def facts(kind: Kind, text: str) -> dict[str, str]:
    return dict.fromkeys(kind.facts, text)


@pytest.mark.parametrize("name", KINDS)
def test_words_around_the_facts_fit_wechats_fields(name: str) -> None:
    kind = KINDS[name]
    for fact in ("口", "口罩" * 100, "", "<b>\x00\n{0}%s😷"):
        said = rules.say(name, "help_1", facts(kind, fact))
        assert said.title
        for value, text in said.values.items():
            messages.check(field := FORMS[kind.template or ""][value], messages.fit(field, text))


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.facts & {"when", "first"}])
def test_a_time_is_never_cut_off(name: str) -> None:
    moment = clock.spoken(clock.now())
    for value, words in KINDS[name].values.items():
        if "{when}" in words or "{first}" in words:
            said = rules.say(name, "shift_1", facts(KINDS[name], moment)).values[value]
            assert messages.fit(FORMS[KINDS[name].template or ""][value], said) == said


@pytest.mark.parametrize("name", ["shift_changed", "shift_changed_clash", "shift_cancelled", "shift_cut_short"])
def test_what_has_happened_to_a_shift_stands_before_its_name_which_may_be_long(name: str) -> None:
    words = KINDS[name].values["subject"]
    assert words.endswith("{title}")
    assert len(words.removesuffix("{title}")) > 3


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.template])
def test_a_field_leaves_room_for_what_it_tells(name: str) -> None:
    kind = KINDS[name]
    for value, words in kind.values.items():
        field = FORMS[kind.template or ""][value]
        fixed = rules.say(name, "help_1", facts(kind, "")).values[value]
        if "{" in words:
            assert len(fixed) + SHORT <= messages.RULES[field.rstrip("0123456789")].longest, value
        else:
            messages.check(field, words)
            assert messages.fit(field, words) == words, "nothing of it is cut or dropped"


@pytest.mark.parametrize("name", KINDS)
def test_every_value_of_the_template_is_given_and_no_other(name: str) -> None:
    kind = KINDS[name]
    given = {value for value in ("subject", "state", "hint") if getattr(kind, value)}
    assert given == set(kind.values)


def test_urgent_and_important_messages_can_be_pushed() -> None:
    assert all(kind.template for kind in KINDS.values() if kind.urgent or kind.matters)


@pytest.mark.parametrize("name", ["shift_place_free", "shift_added", "shift_team_signed_up", "shift_changed"])
def test_who_is_expected_by_anothers_doing_reads_on_the_phone_when(name: str) -> None:
    """WeChat shows the message's own time beside it, which is not the shift's."""
    assert "{when}" in KINDS[name].hint


def test_asking_at_a_moment_names_templates_that_exist() -> None:
    assert {template for templates in MOMENTS.values() for template in templates} == set(FORMS)


def test_no_message_carries_a_code() -> None:
    assert not any("code" in kind.facts for kind in KINDS.values())


def test_words_that_look_like_our_placeholders_are_only_words() -> None:
    said = rules.say("help_offered", "help_1", {"title": "{helper.__class__}", "helper": "{title}"})
    assert "{helper.__class__}" in said.text
    assert "{title}愿意帮您" in said.text


def test_a_missing_fact_is_a_mistake_found_at_once() -> None:
    with pytest.raises(ValueError, match="helper"):
        rules.say("help_offered", "help_1", {"title": "口罩"})


def test_every_kind_that_the_slices_tell_is_in_the_catalogue() -> None:
    told = {kind for source in SLICES.rglob("*.py") for kind in _told(ast.parse(source.read_text("utf-8")))}
    assert told <= set(KINDS)


def test_every_kind_in_the_catalogue_is_told_by_some_slice() -> None:
    sources = [source for source in SLICES.rglob("*.py") if source.name != "catalogue.py"]
    nodes = [node for source in sources for node in ast.walk(ast.parse(source.read_text("utf-8")))]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant)}
    begun = {
        node.values[0] for node in nodes if isinstance(node, ast.JoinedStr) and node.values
    }  # f"residence_{state}"
    beginnings = tuple(part.value for part in begun if isinstance(part, ast.Constant) and part.value.endswith("_"))
    assert [kind for kind in KINDS if kind not in texts and not kind.startswith(beginnings)] == []


def _told(tree: ast.AST) -> Iterator[str]:
    """The kinds written out in calls of `tell`, also both of `a if … else b`."""
    for node in ast.walk(tree):
        name = getattr(getattr(node, "func", None), "attr", None)
        if isinstance(node, ast.Call) and name == "tell" and len(node.args) == 3:
            given = node.args[2]
            for part in [given.body, given.orelse] if isinstance(given, ast.IfExp) else [given]:
                if isinstance(part, ast.Constant):
                    yield str(part.value)
