"""The user's text with every character to be seen: nothing in it moves a cursor or turns a line round."""

from __future__ import annotations

import unicodedata

START, END = 1000, 500  # characters of an endless value that are shown; messages of ours are shorter
# Controls, such as ESC; formats, such as marks that turn the direction of text; halves of pairs; line ends.
UNSEEN = ("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp")


def visible(text: str) -> str:
    """One line, cut where it is endless."""
    left_out = len(text) - START - END
    return escaped(f"{text[:START]} … {left_out} characters … {text[-END:]}" if left_out > 0 else text)


def escaped(text: str, kept: str = "") -> str:
    """All of a text, with escapes for what cannot be seen, but for the characters that are kept."""
    return "".join(
        char.encode("unicode_escape").decode()
        if unicodedata.category(char) in UNSEEN and char not in kept
        else char
        for char in text
    )
