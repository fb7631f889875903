"""Ids and codes."""

from chalicelib.kit import ids


def test_an_id_says_what_it_is_of_and_is_never_the_same():
    many = {ids.new_id("help") for _ in range(1000)}
    assert len(many) == 1000
    assert all(each.startswith("help_") and len(each) == len("help_") + 26 for each in many)


def test_the_same_facts_give_the_same_id_and_other_facts_another():
    first = ids.repeatable_id("help", "resident_1", "POST /help", "key")
    assert first == ids.repeatable_id("help", "resident_1", "POST /help", "key")
    assert first != ids.repeatable_id("help", "resident_2", "POST /help", "key")
    assert first != ids.repeatable_id("offer", "resident_1", "POST /help", "key")


def test_facts_cannot_be_shifted_into_each_other():
    assert ids.repeatable_id("help", "ab", "c") != ids.repeatable_id("help", "a", "bc")
    assert ids.repeatable_id("help", "a", "") != ids.repeatable_id("help", "a")


def test_a_repeatable_id_looks_like_any_other():
    assert len(ids.repeatable_id("help", "x")) == len(ids.new_id("help"))


def test_a_pick_up_code_has_no_letters_that_people_confuse():
    letters = set("".join(ids.pick_up_code() for _ in range(500)))
    assert not letters & set("ILOU")
    assert len(letters) == 32


def test_a_code_is_recognised_as_people_type_it():
    assert ids.as_typed("abc1 0xyz") == "ABC10XYZ"
    assert ids.as_typed("ABCl-OXYZ") == "ABC10XYZ"
    code = ids.pick_up_code()
    assert ids.as_typed(f" {code[:4].lower()} {code[4:].lower()} ") == code
