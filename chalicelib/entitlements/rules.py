"""The names of rights. Who grants one and who asks for it write the same name, and need not know each other."""

from __future__ import annotations


def of_quiz(quiz_id: str) -> str:
    """Having passed this quiz, once, whenever."""
    return f"quiz:{quiz_id}"
