"""A stacked bar chart as PNG."""

import io
from collections.abc import Mapping, Sequence
from decimal import Decimal

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT, MARGIN, LEGEND = 960, 540, 60, 90
COLOURS = ("#4063d8", "#389826", "#cb3c33", "#9558b2", "#e69f00", "#56b4e9", "#8c564b", "#7f7f7f")
INK = "#333333"


def stacked_bars(title: str, labels: Sequence[str], series: Mapping[str, Sequence[Decimal]]) -> bytes:
    """Return a PNG with one bar for each of *labels*, made of each series' value for it."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    font, large = ImageFont.load_default(14), ImageFont.load_default(22)
    draw.text((MARGIN, 18), title, fill=INK, font=large)
    top = max((sum(values) for values in zip(*series.values(), strict=True)), default=Decimal(0)) or Decimal(1)
    floor, right = HEIGHT - MARGIN, WIDTH - MARGIN - LEGEND
    for share in range(5):
        y = floor - (floor - 2 * MARGIN) * share / 4
        draw.line([(MARGIN, y), (right, y)], fill="#dddddd")
        draw.text((MARGIN - 8, y), f"{top * share / 4 / 1000:,.0f}k", fill=INK, font=font, anchor="rm")
    step = (right - MARGIN) / max(len(labels), 1)
    for column, label in enumerate(labels):
        left, y = MARGIN + step * (column + 0.15), float(floor)
        for colour, values in zip(COLOURS, series.values(), strict=False):
            height = (floor - 2 * MARGIN) * float(values[column] / top)
            draw.rectangle([left, y - height, left + step * 0.7, y], fill=colour)
            y -= height
        draw.text((left + step * 0.35, floor + 8), label, fill=INK, font=font, anchor="ma")
    for row, (name, colour) in enumerate(zip(series, COLOURS, strict=False)):
        y = 2 * MARGIN + 24 * row
        draw.rectangle([right + 24, y, right + 38, y + 14], fill=colour)
        draw.text((right + 46, y + 7), name, fill=INK, font=font, anchor="lm")
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()
