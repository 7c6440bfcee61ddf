"""GET /evidence/...: kept images, as they were taken and as the page shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from edge_agent.errors import ImageRefusedError
from edge_agent.status.pictures import Pictures, image_type
from edge_agent.status.problems import RequestProblemError

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_agent.status.context import StatusContext

_DIGEST = r"^[0-9a-f]{64}$"
Digest = Annotated[str, Path(pattern=_DIGEST, description="sha256 of the content, 64 hexadecimal digits.")]
MapDigest = Annotated[str, Query(alias="map", pattern=_DIGEST, description="sha256 of the anomaly map.")]

_HEADERS = {
    # evidence is named by its content, so it never changes; and it is never run, whatever it contains
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
}


def router(context: StatusContext) -> APIRouter:
    """The routes, over `context`."""
    routes = APIRouter(prefix="/evidence")
    pictures = Pictures(context.evidence)

    @routes.get("/{digest}")
    def original(digest: Digest) -> Response:
        """The image exactly as it was taken; anything that is no image comes as a download."""
        content = pictures.original(digest)
        if content is None:
            raise _not_kept()
        media_type = image_type(content)
        if media_type is None:
            headers = {**_HEADERS, "Content-Disposition": f'attachment; filename="{digest[:12]}.bin"'}
            return Response(content, media_type="application/octet-stream", headers=headers)
        return Response(content, media_type=media_type, headers=_HEADERS)

    @routes.get("/{digest}/preview")
    def preview(digest: Digest) -> Response:
        """The image as a JPEG of screen size."""
        return _picture(lambda: pictures.preview(digest))

    @routes.get("/{digest}/overlay")
    def overlay(digest: Digest, map_digest: MapDigest) -> Response:
        """The image as a JPEG of screen size with its anomaly drawn over it."""
        return _picture(lambda: pictures.overlay(digest, map_digest))

    return routes


def _picture(render: Callable[[], bytes | None]) -> Response:
    try:
        jpeg = render()
    except ImageRefusedError as error:
        raise RequestProblemError(
            415, error.reason, f"The image cannot be shown: {error.args[0]}.", "Open the original instead."
        ) from error
    if jpeg is None:
        raise _not_kept()
    return Response(jpeg, media_type="image/jpeg", headers=_HEADERS)


def _not_kept() -> RequestProblemError:
    hint = "keep_evidence of the station says which verdicts keep their image."
    return RequestProblemError(404, "not_kept", "No image with this digest is kept.", hint)
