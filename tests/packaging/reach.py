"""What an entry point can come to use, read out of the code; here: which groups of settings.

    Reach(code_of(ROOT)).groups("chalicelib.notices.jobs.push_notices")     # {"notices", "wechat", "wechat_secrets"}

Names are followed, not calls, so this finds too much rather than too little: a function that is only mentioned counts
as called, and `thing.close` is every method of that name of the classes met so far. What slices register (timers,
erasers, handlers of events) belongs to the variable in which the registering function keeps it, and is reached by
whoever mentions that variable, whatever is loaded when.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

_GROUP = "chalicelib.kit.settings.group"


def code_of(root: Path) -> dict[str, ast.Module]:
    """The product's modules by their names."""
    files = [root / "app.py", *sorted((root / "chalicelib").rglob("*.py"))]
    return {_module_name(file.relative_to(root)): ast.parse(file.read_text(encoding="utf-8")) for file in files}


def _module_name(file: Path) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


class Reach:
    def __init__(self, code: dict[str, ast.Module]) -> None:
        self._code = code
        self._stands_for: dict[str, dict[str, str]] = {}  # module → name in it → what is meant
        self._body: dict[str, tuple[str, list[ast.AST]]] = {}  # what is defined → its module, what it is made of
        self._methods: dict[str, dict[str, str]] = defaultdict(dict)  # class → name → method
        self._bases: dict[str, tuple[str, list[ast.expr]]] = {}
        self._variables: set[str] = set()
        self._kept_in: dict[str, set[str]] = defaultdict(set)  # variable → what others put there
        self._registers: set[str] = set()  # what puts it there
        self.group_of: dict[str, str] = {}  # reader of a group → the group
        self.views: set[str] = set()  # those of all routes
        for module, tree in code.items():
            self._stands_for[module] = dict(_imports(tree))
            for statement in tree.body:
                self._define(module, statement)
        for module, tree in code.items():
            for statement in tree.body:
                self._register(module, statement)

    def groups(self, handler: str) -> set[str]:
        """The groups that an entry point, e.g. `app.sweep`, can come to read. `app.app` serves all routes."""
        reached = self.from_(self.views if handler == "app.app" else {handler})
        return {group for reader, group in self.group_of.items() if reader in reached}

    def from_(self, roots: set[str]) -> set[str]:
        """All that is defined in the product and can be reached from there."""
        reached: set[str] = set()
        attributes: set[str] = set()
        unseen = set(roots)
        while unseen:
            node = unseen.pop()
            module, parts = self._body.get(node, ("", []))
            mentioned = self._kept_in[node].union(*(self._mentioned(module, part) for part in parts))
            mentioned -= self._registers  # at the start, once: whoever is registered does not register again
            reached.add(node)
            fresh = {name[1:] for name in mentioned if name.startswith(".")} - attributes
            attributes |= fresh
            for owner in reached & self._methods.keys():
                wanted = attributes if owner == node else fresh
                mentioned |= {method for name, method in self._methods[owner].items() if name in wanted}
            unseen |= {name for name in mentioned if name in self._body} - reached
        return reached

    # ------------------------------------------------------------------------------------------ what is defined

    def _define(self, module: str, statement: ast.stmt) -> None:
        known = self._stands_for[module]
        if isinstance(statement, ast.ClassDef):
            known[statement.name] = f"{module}.{statement.name}"
            self._define_class(module, statement)
        elif isinstance(statement, ast.FunctionDef):
            # Of several functions named _ each is one of its own.
            name = f"{statement.name}@{statement.lineno}" if statement.name == "_" else statement.name
            known[name] = f"{module}.{name}"
            self._body[f"{module}.{name}"] = module, [statement]
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None:
            for name in _targets(statement):
                known[name] = variable = f"{module}.{name}"
                self._body[variable] = module, [statement.value]
                self._variables.add(variable)
        elif isinstance(statement, (ast.If, ast.Try, ast.With, ast.For)):
            for inner in statement.body:
                self._define(module, inner)

    def _define_class(self, module: str, statement: ast.ClassDef) -> None:
        owner = f"{module}.{statement.name}"
        parts: list[ast.AST] = [*statement.bases, *statement.keywords, *statement.decorator_list]
        for inner in statement.body:
            if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("__"):
                self._methods[owner][inner.name] = method = f"{owner}.{inner.name}"
                self._body[method] = module, [inner]
            else:
                parts.append(inner)  # called without being named
        self._body[owner] = module, parts
        self._bases[owner] = module, statement.bases

    # --------------------------------------------------------------------------------------- what is registered

    def _register(self, module: str, statement: ast.stmt) -> None:
        if isinstance(statement, ast.FunctionDef):
            name = f"{statement.name}@{statement.lineno}" if statement.name == "_" else statement.name
            for decorator in statement.decorator_list:  # @timers.on("…"), @routes.get("…"), @personal_data.eraser
                self._keep(module, decorator, {f"{module}.{name}"})
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):  # timers.on("…")(act)
            self._keep(module, statement.value, self._mentioned(module, statement.value))
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Subscript):  # ACTS["…"] = act
            (variable,) = self._named(module, statement.targets[0].value)[:1]
            self._kept_in[variable] |= self._mentioned(module, statement.value)
        elif isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
            self._look_for_a_group(module, _targets(statement), statement.value)

    def _look_for_a_group(self, module: str, targets: list[str], call: ast.Call) -> None:
        if self._named(module, call.func)[0] == _GROUP:
            (name,), group = targets, call.args[0]
            assert isinstance(group, ast.Constant), f"{module}: a group of settings is named by a text"
            self.group_of[f"{module}.{name}"] = str(group.value)

    def _keep(self, module: str, by: ast.expr, what: set[str]) -> None:
        """Into the variables of its own module that the registering function mentions."""
        while isinstance(by, ast.Call):
            by = by.func
        function, *attributes = self._named(module, by)
        if attributes and function.endswith(".routes"):
            self.views |= what
        home, parts = self._body.get(function, ("", []))
        mentioned = set().union(*(self._mentioned(home, part) for part in parts)) & self._variables
        for variable in (name for name in mentioned if name.startswith(f"{home}.")):
            self._kept_in[variable] |= what
            self._registers.add(function)

    # ---------------------------------------------------------------------------------------- what is mentioned

    def _mentioned(self, module: str, part: ast.AST) -> set[str]:
        """What a piece of code names: `module.thing`, or `.attribute` of something unknown."""
        if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load):
            return set()
        if isinstance(part, (ast.Name, ast.Attribute)):
            named, *attributes = self._named(module, part)
            inner = part
            while isinstance(inner, ast.Attribute):
                inner = inner.value
            rest = set() if isinstance(inner, ast.Name) else self._mentioned(module, inner)
            if attributes and (method := self._method_of(named, attributes[0][1:])):
                attributes[0] = method
            return {named, *attributes} | rest
        return set().union(*(self._mentioned(module, child) for child in _children(part)))

    def _method_of(self, owner: str, name: str) -> str | None:
        """The method that `Class.name` means, its own or of a class of ours that it is made from."""
        if owner not in self._bases:
            return None
        module, bases = self._bases[owner]
        inherited = (self._method_of(self._named(module, base)[0], name) for base in bases)
        return self._methods[owner].get(name) or next(filter(None, inherited), None)

    def _named(self, module: str, part: ast.expr) -> list[str]:
        """`a.b.c` as far as it is known, then the attributes of that: ["chalicelib.kit.timers.on"]."""
        chain: list[str] = []
        while isinstance(part, ast.Attribute):
            chain.insert(0, part.attr)
            part = part.value
        if not isinstance(part, ast.Name):
            return ["", *(f".{name}" for name in chain)]
        here = self._known(module, part.id)
        while chain and here in self._code and (further := self._known(here, chain[0])):
            here = further
            chain.pop(0)
        return [here, *(f".{name}" for name in chain)]

    def _known(self, module: str, name: str) -> str:
        """What a name in a module stands for, through all modules that only hand it on."""
        meant = self._stands_for[module].get(name, "")
        while meant not in self._body and meant not in self._code:
            owner, _, inner = meant.rpartition(".")
            if owner not in self._code or inner not in self._stands_for[owner]:
                return f"{module}.{name}" if f"{module}.{name}" in self._code else ""
            meant = self._stands_for[owner][inner]
        return meant


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield (
                    alias.asname or alias.name.partition(".")[0],
                    alias.name if alias.asname else (alias.name.partition(".")[0]),
                )


def _targets(statement: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return [each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)]


def _children(part: ast.AST) -> Iterator[ast.AST]:
    """Without the annotations of functions, which nothing evaluates. (Those of a class say what its fields are made of.)"""
    for child in ast.iter_child_nodes(part):
        if isinstance(part, ast.FunctionDef) and child is part.returns:
            continue
        if isinstance(child, ast.arguments):
            yield from (default for default in [*child.defaults, *child.kw_defaults] if default is not None)
        elif isinstance(part, ast.FunctionDef) and isinstance(child, ast.AnnAssign):
            if child.value is not None:
                yield child.value
        else:
            yield child
