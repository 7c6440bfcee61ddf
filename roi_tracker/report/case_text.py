"""The case as text: what a saved report keeps of it, so that it can be read again when the file has changed."""

from __future__ import annotations

from typing import Literal

import msgspec

from roi_tracker.business_case import BusinessCase, parse_case
from roi_tracker.ledger.chain import text_digest

CaseFormat = Literal["yaml", "toml", "json"]


class CaseText(msgspec.Struct, frozen=True):
    """A case's whole text.

    Attributes:
        format: how it is read; `json` is the case of a workbook, written out.
    """

    text: str
    format: CaseFormat

    @property
    def sha256(self) -> str:
        """Hash of the text, as the ledger has it."""
        return text_digest(self.text)

    def case(self) -> BusinessCase:
        """The case that the text says.

        Raises:
            CaseError: it is none.
        """
        if self.format == "json":
            return BusinessCase.model_validate_json(self.text)
        return parse_case(self.text, self.format)
