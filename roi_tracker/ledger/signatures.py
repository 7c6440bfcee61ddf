"""Whether two names written into the ledger are those of two people, as far as writing can tell."""

from __future__ import annotations

import unicodedata

_LETTERED = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "HEBREW", "ARABIC", "CHEROKEE", "COPTIC"})
"""Scripts whose letters are taken for one another's; Hangul, Han and Kana look like none of them."""


def signature(name: str) -> str:
    """A name as it is compared: compatibility forms, case, spaces, marks and punctuation make no other person.

    >>> signature("Plant. Manager"), signature("\N{FULLWIDTH LATIN SMALL LETTER P}lant manager"), signature(" . ")
    ('plantmanager', 'plantmanager', '')
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    kept = (letter for letter in plain if unicodedata.category(letter)[0] in {"L", "N"})
    return unicodedata.normalize("NFC", "".join(kept)).casefold()


def mixes_scripts(*names: str) -> bool:
    """Whether letters of more than one alphabet stand in these names: a Cyrillic letter passes for a Latin one.

    >>> mixes_scripts("b\N{CYRILLIC SMALL LETTER O}ss"), mixes_scripts("boss", "공장장 Kim")
    (True, False)
    """
    found: set[str] = set()
    for letter in unicodedata.normalize("NFKC", "".join(names)):
        script = unicodedata.name(letter, "").split(" ")[0]
        if unicodedata.category(letter).startswith("L") and script in _LETTERED:
            found.add(script)
    return len(found) > 1


def second_person(author: str, approver: str) -> bool:
    """Whether the approver is somebody else than the author; a doubt is no second person.

    >>> second_person("boss", "controller"), second_person("boss", "BOSS."), second_person("boss", "-")
    (True, False, False)
    """
    mine, theirs = signature(author), signature(approver)
    return bool(mine and theirs) and mine != theirs and not mixes_scripts(author, approver)
