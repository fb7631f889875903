"""DynamoDB's expressions, read as far as aws_rules.py judges them. Whoever writes one that cannot be read gets SyntaxError."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

RESERVED = frozenset(Path(__file__).with_name("reserved_words.txt").read_text().split())
CLAUSES = ("SET", "REMOVE", "ADD", "DELETE")
FUNCTIONS = ("attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size")
UPDATE_FUNCTIONS = ("if_not_exists", "list_append")
_WORDS = {*CLAUSES, "AND", "OR", "NOT", "IN", "BETWEEN"}
_TOKEN = re.compile(r"\s*(?:([#:][A-Za-z0-9_]+|[A-Za-z][A-Za-z0-9_]*|\d+|<>|<=|>=|[-=<>+,.()\[\]])|(\S))")

Path_ = tuple[str | int, ...]  # of a document: ("address", "streets", 0)


class Change(NamedTuple):
    """One action of an update: SET (its target and the tokens behind the equals sign), REMOVE, ADD or DELETE."""

    clause: str
    target: Path_
    operand: list[str]


class KeyCondition(NamedTuple):
    attribute: str
    operator: str  # =, <, <=, >, >=, BETWEEN, begins_with
    operands: list[str]


def tokens(text: str) -> list[str]:
    found = []
    for match in _TOKEN.finditer(text.strip()):
        if match[2]:
            raise SyntaxError(f"{match[2]!r} in {text!r}")
        found.append(match[1])
    return found


def is_word(token: str) -> bool:
    return token.upper() in _WORDS


def bare_names(parts: list[str]) -> Iterator[str]:
    """Names of attributes that are written out, without a placeholder."""
    for position, token in enumerate(parts):
        follows = parts[position + 1] if position + 1 < len(parts) else ""
        if token[0].isalpha() and not is_word(token) and not (follows == "(" and token in FUNCTIONS + UPDATE_FUNCTIONS):
            yield token


def read_path(parts: list[str], names: Mapping[str, str]) -> tuple[Path_, int]:
    """The path at the beginning, and how many tokens it has."""
    path: list[str | int] = [_name(parts[0], names)]
    at = 1
    while at < len(parts) and parts[at] in (".", "["):
        if parts[at] == ".":
            path.append(_name(parts[at + 1], names))
            at += 2
        else:
            path.append(int(parts[at + 1]))
            at += 3
    return tuple(path), at


def _name(token: str, names: Mapping[str, str]) -> str:
    if not (token[0].isalpha() or token[0] == "#"):
        raise SyntaxError(f"{token} is no name")
    return names.get(token, token)


def changes(text: str, names: Mapping[str, str]) -> list[Change]:
    """The actions of an UpdateExpression, in order."""
    found: list[Change] = []
    clause = ""
    for action in _split(tokens(text)):
        if action[0].upper() in CLAUSES:
            clause, action = action[0].upper(), action[1:]
            found.append(Change(clause, (), []))  # where a clause begins
        target, length = read_path(action, names)
        operand = action[length:]
        if clause == "SET" and operand[:1] != ["="]:
            raise SyntaxError(text)
        found.append(Change(clause, target, operand[1:] if clause == "SET" else operand))
    return found


def _split(parts: list[str]) -> Iterator[list[str]]:
    """At commas and before the words of clauses, but not inside of parentheses."""
    action: list[str] = []
    depth = 0
    for token in parts:
        depth += (token == "(") - (token == ")")
        if depth == 0 and (token == "," or token.upper() in CLAUSES):
            if action:
                yield action
            action = [] if token == "," else [token]
        else:
            action.append(token)
    if action:
        yield action


def paths_in(parts: list[str], names: Mapping[str, str]) -> Iterator[Path_]:
    """All attributes that an expression speaks of."""
    at = 0
    while at < len(parts):
        token, follows = parts[at], parts[at + 1] if at + 1 < len(parts) else ""
        if token[0] == "#" or (token[0].isalpha() and not is_word(token) and follows != "("):
            path, length = read_path(parts[at:], names)
            yield path
            at += length
        else:
            at += 1


def key_conditions(text: str, names: Mapping[str, str]) -> list[KeyCondition]:
    """The parts of a KeyConditionExpression, which are joined by AND alone."""
    parts = _without_parentheses(tokens(text))
    found = []
    while parts:
        if parts[0] == "begins_with":
            attribute, operator, operands, parts = parts[2], "begins_with", [parts[4]], parts[6:]
        elif parts[1].upper() == "BETWEEN":
            attribute, operator, operands, parts = parts[0], "BETWEEN", [parts[2], parts[4]], parts[5:]
        else:
            attribute, operator, operands, parts = parts[0], parts[1], [parts[2]], parts[3:]
        found.append(KeyCondition(_name(attribute, names), operator, operands))
        if parts and parts.pop(0).upper() != "AND":
            raise SyntaxError(text)
    return found


def _without_parentheses(parts: list[str]) -> list[str]:
    kept: list[str] = []
    of_functions: list[bool] = []
    for token in parts:
        if token == "(":
            of_functions.append(bool(kept) and kept[-1] == "begins_with")
        if token not in "()" or of_functions[-1]:
            kept.append(token)
        if token == ")":
            of_functions.pop()
    return kept


def between(parts: list[str]) -> Iterator[tuple[str, str]]:
    """The bounds of each BETWEEN that are placeholders for values."""
    for at, token in enumerate(parts):
        if token.upper() == "BETWEEN" and parts[at + 1][0] == ":" and parts[at + 3][0] == ":":
            yield parts[at + 1], parts[at + 3]
