"""A report as one page: no script, nothing from outside, light and dark, prints on A4."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup

from roi_tracker.render.content_blocks import Surround
from roi_tracker.render.content_charts import PAGE, svg

if TYPE_CHECKING:
    from roi_tracker.render.content_blocks import Content
    from roi_tracker.render.content_charts import Chart

_environment = jinja2.Environment(
    loader=jinja2.PackageLoader("roi_tracker.render", "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render_content_page(content: Content, around: Surround | None = None) -> str:
    """The page.

    Args:
        content: what it says.
        around: links and policy of a service; None for a file.
    """
    return _environment.get_template("content.html").render(
        content=content, drawing=_drawing, around=around or Surround()
    )


def _drawing(chart: Chart) -> Markup:
    return Markup(svg(chart, PAGE))  # noqa: S704 - every text in a chart is escaped where it is drawn
