"""A matplotlib figure without pyplot, which a notebook displays."""

from __future__ import annotations

import io

from matplotlib.figure import Figure


class Picture(Figure):
    """Matplotlib Figure made without pyplot; a notebook displays it, ``savefig`` writes it."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()
