"""Matplotlib figures as inline SVG that takes its colours from the page."""

import io
import re
from html import escape

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

from al_platform.experiments.report.palette import INKS, LOOKS

POINTS_PER_INCH = 72
EMPTY = {"Date": None, "Creator": None, "Format": None, "Type": None}

_VARIABLES = {**INKS, **{look.light: f"--{look.key}" for look in LOOKS}}


def blank_figure(width: float, height: float) -> Figure:
    """An empty figure of so many points, transparent."""
    figure = Figure(figsize=(width / POINTS_PER_INCH, height / POINTS_PER_INCH))
    figure.patch.set_visible(False)
    return figure


def inline_svg(figure: Figure, *, name: str, description: str) -> Markup:
    """The figure as one `<svg>` that fills its width; `name` keeps its ids apart from other figures'."""
    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "report"}):
        figure.savefig(buffer, format="svg", metadata=EMPTY)
    text = buffer.getvalue()
    body = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], count=1, flags=re.DOTALL)
    body = re.sub(r'(\bid="|url\(#|xlink:href="#)', rf"\g<1>{name}-", body)
    body = re.sub(r"<style.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r'style="([^"]*)"', lambda found: _as_attributes(found.group(1)), body)
    body = re.sub(r"#[0-9a-f]{6}", lambda found: _page_colour(found.group()), body)
    head, _, rest = body.partition(">")
    view = re.search(r'viewBox="[^"]*"', head)
    opening = (
        f'<svg xmlns:xlink="http://www.w3.org/1999/xlink" {view.group() if view else ""} role="img" '
        'stroke-linejoin="round" stroke-linecap="butt"'
    )
    label = escape(description, quote=True)
    return Markup(f'{opening} aria-label="{label}"><title>{label}</title>{rest}')


def _as_attributes(style: str) -> str:
    """The same as attributes: a page that allows no style of its own elements shows them too."""
    pairs = (part.split(":", 1) for part in style.split(";") if part.strip())
    return " ".join(f'{name.strip()}="{value.strip()}"' for name, value in pairs)


def _page_colour(colour: str) -> str:
    return f"var({_VARIABLES[colour]})" if colour in _VARIABLES else colour
