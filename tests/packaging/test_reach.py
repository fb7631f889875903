"""The look at the code that says which settings a function needs (reach.py), tried on a small product."""

from __future__ import annotations

import ast

import pytest

from tests.packaging.reach import Reach

CODE = {
    "app": """
from chalicelib.kit import timers
from chalicelib.toys import routes
def sweep(event):
    return timers.sweep()
def administer(event):
    from chalicelib.toys import console as commands
    return commands.ACTS[event]()
""",
    "chalicelib.kit.settings": """
def group(name, shape): ...
""",
    "chalicelib.kit.timers": """
_handlers = {}
def on(name):
    def register(handler):
        _handlers[name] = handler
        return handler
    return register
def sweep():
    for handler in _handlers.values():
        handler()
""",
    "chalicelib.kit.http": """
class Routes:
    def get(self, path): ...
""",
    "chalicelib.toys.rules": """
from chalicelib.kit.settings import group
lending = group("lending", object)
repairs = group("repairs", object)
fines = group("fines", object)
prices = group("prices", object)
""",
    "chalicelib.toys.service": """
from chalicelib.toys import rules
class Toy:
    def late(self):
        return rules.fines()
class Doll(Toy):
    @classmethod
    def key(cls): ...
class Game:
    @classmethod
    def key(cls):
        return rules.prices()
def lend(toy: Toy):
    return rules.lending()
""",
    "chalicelib.toys.routes": """
from chalicelib.kit.http import Routes
from chalicelib.toys.service import Game, lend as give
routes = Routes(__name__)
@routes.get("/toys")
def toys(caller, game: Game = None):
    return [give(toy) for toy in caller.toys]
""",
    "chalicelib.toys.jobs": """
from chalicelib.kit import timers
from chalicelib.toys.service import Doll, Game
@timers.on("toys.late")
def late(found):
    return found.late() if isinstance(found, Doll) else Game
timers.on("toys.mend")(lambda found: Doll.key())
""",
    "chalicelib.toys.console": """
from chalicelib.toys import rules
def mend():
    return rules.repairs()
ACTS = {"mend": mend}
""",
    "chalicelib.toys.worker": """
from chalicelib.toys.service import Doll, Game
def polish(event):
    return Doll.key(), Game.__name__
""",
}


@pytest.fixture
def reach() -> Reach:
    return Reach({module: ast.parse(text) for module, text in CODE.items()})


def test_a_route_needs_what_the_code_it_names_reads_but_not_what_its_annotations_name(reach: Reach) -> None:
    assert reach.groups("app.app") == {"lending"}


def test_a_timer_belongs_to_the_sweep_though_nothing_there_names_it(reach: Reach) -> None:
    assert reach.groups("app.sweep") == {"fines"}


def test_what_stands_in_a_table_is_reached_by_whoever_reads_the_table(reach: Reach) -> None:
    assert reach.groups("app.administer") == {"repairs"}


def test_a_method_named_with_its_class_is_that_one_and_no_other_of_its_name(reach: Reach) -> None:
    assert reach.groups("chalicelib.toys.worker.polish") == set()


def test_a_new_group_of_a_slice_is_noticed_where_it_is_read(reach: Reach) -> None:
    late = "return found.late()"
    more = CODE["chalicelib.toys.jobs"].replace(late, late + " and greeting()")
    more += "from chalicelib.kit import settings\ngreeting = settings.group('greeting', object)\n"
    changed = Reach({module: ast.parse(text) for module, text in (CODE | {"chalicelib.toys.jobs": more}).items()})
    assert changed.groups("app.sweep") == {"fines", "greeting"}
    assert changed.groups("app.app") == {"lending"}
