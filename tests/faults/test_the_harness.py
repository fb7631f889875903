"""The harness that does every act with every AWS call failing, tried on acts that are wrong."""

from __future__ import annotations

import pytest
from pynamodb.exceptions import PynamoDBException

from tests.engine.budget import warm
from tests.faults import kit_acts
from tests.faults.acts import Act
from tests.faults.faults import KINDS, fault
from tests.faults.help_acts import WISH, facts, posting, street
from tests.faults.trying import fail_every_call, fail_in_every_way, faultless


class TestTheHarnessItself:
    def test_an_act_that_forgets_its_key_is_caught(self):
        def take_again(world, key):
            return kit_acts.take(world, kit_acts.ids.new_id("key"))

        with pytest.raises(AssertionError, match="even without faults"):
            faultless(Act("forgetful", kit_acts.stocked, take_again, kit_acts.what_is_left))

    @pytest.mark.parametrize("every_way", [True, False])
    def test_an_act_whose_two_writes_are_not_one_is_caught(self, every_way):
        def half(world, key):
            this = kit_acts.attempt(world, key)
            there = kit_acts.Shelf.fetch(world["shelf"].pk, "SHELF")
            if not this.made(there):
                there.update([kit_acts.Shelf.left.add(-1)])
                there.update(this.remember())

        act = Act("half", kit_acts.stocked, half, kit_acts.what_is_left)
        with pytest.raises(AssertionError, match="call 2 of"):
            fail_in_every_way(act, *faultless(act), every_way=every_way)

    def test_an_act_that_takes_a_fault_for_a_refusal_is_caught(self):
        def hasty(world, key):
            try:
                return kit_acts.take(world, key)
            except PynamoDBException as error:
                raise kit_acts.Named("sold_out") from error

        act = Act("hasty", kit_acts.stocked, hasty, kit_acts.what_is_left)
        with pytest.raises(AssertionError, match="call 1 throttled: a failure looks like"):
            fail_every_call(act, every_way=True)

    def test_an_act_that_does_not_say_what_it_tries_is_caught(self):
        act = Act("silent", street, posting("asker", "/help-requests", WISH), facts)
        with pytest.raises(AssertionError, match="says that it tries ''"):
            faultless(act)

    def test_an_act_that_says_that_it_tries_what_it_does_not_reach_is_caught(self):
        act = Act("boastful", kit_acts.stocked, kit_acts.take, kit_acts.what_is_left, tries="timer help.lapse")
        with pytest.raises(AssertionError, match=r"reaches set\(\)"):
            faultless(act)

    def test_a_fault_strikes_the_same_world_only_while_nothing_has_been_written(self):
        made = 0

        def prepare():
            nonlocal made
            made += 1
            return kit_acts.stocked()

        act = Act("counted", prepare, kit_acts.take, kit_acts.what_is_left)
        fail_every_call(act, every_way=True)
        # Without faults; healed by botocore in two runs and by the kit in one; one for all failures of its two calls.
        assert made == 1 + 2 + 1 + 1

    @pytest.mark.parametrize("kind", KINDS)
    def test_every_kind_of_fault_strikes_what_it_can(self, kind):
        world = kit_acts.stocked()
        with warm(), fault(call=2, kind=kind, attempts=1) as it:
            kit_acts.take(world, "key")
        assert it.calls[:2] == ["dynamodb GetItem", "dynamodb TransactWriteItems"]
        assert it.struck == 1
