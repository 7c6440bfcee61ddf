"""Bitmaps from cameras are kept as PNG: the same pixels, at a third of the bytes or less."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge_agent.errors import StoreError

if TYPE_CHECKING:
    from edge_agent.ports import EvidenceStore

_BITMAP = b"BM"
_FAST = 1  # zlib level; higher ones take several times as long for a few per cent


class CompressedEvidence:
    """Evidence (port `EvidenceStore`) whose bitmaps become PNG on their way into another store.

    Args:
        kept: where they are kept.
    """

    def __init__(self, kept: EvidenceStore) -> None:
        self._kept = kept

    def put(self, content: bytes) -> str:
        """Keep bytes and return the digest of what is kept; a bitmap is kept as PNG, without loss.

        Raises:
            StoreError: they could not be kept.
        """
        if not content.startswith(_BITMAP):
            return self._kept.put(content)
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        if pixels is None:
            return self._kept.put(content)  # whatever it is, it is what was judged
        done, png = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, _FAST])
        if not done:
            raise StoreError("the picture cannot be compressed", hint="see the agent's log")
        return self._kept.put(png.tobytes())

    def get(self, digest: str) -> bytes | None:
        """The bytes, or None when they are not kept."""
        return self._kept.get(digest)
