"""Make the sample input again: ``python -m cookbook.data.generate``. The same seed makes the same files."""

import csv
import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from PIL import Image, ImageDraw

ORDERS = Path(__file__).parent / "orders.csv"
PHOTOS = Path(__file__).parent / "photos"
ROWS = 50_000
SEED = 20_260_101
COLUMNS = ("order", "date", "country", "product", "quantity", "unit_price")

COUNTRIES = {"DE": 30, "FR": 22, "NL": 14, "ES": 12, "PL": 11, "SE": 7, "AT": 4}
PRODUCTS = {"kettle": 39.0, "lamp": 54.5, "chair": 119.0, "desk": 349.0, "mug": 9.9, "clock": 27.8}
SEASON = (0.8, 0.75, 0.9, 0.95, 1.0, 0.9, 0.85, 0.8, 1.05, 1.1, 1.5, 1.7)
"""How busy each month is."""


def orders(year: int = 2025) -> Iterator[tuple[str, ...]]:
    """Yield the rows of the orders file in order of their date."""
    chance = random.Random(SEED)
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(365)]
    dates = sorted(chance.choices(days, weights=[SEASON[day.month - 1] for day in days], k=ROWS))
    for number, day in enumerate(dates, start=1):
        (country,) = chance.choices(list(COUNTRIES), weights=list(COUNTRIES.values()))
        product = chance.choice(list(PRODUCTS))
        price = PRODUCTS[product] * (1 + chance.randrange(-10, 16) / 100)
        yield (f"{number:06d}", day.isoformat(), country, product, str(chance.randrange(1, 6)), f"{price:.2f}")


def photo(seed: int, size: tuple[int, int] = (960, 640)) -> Image.Image:
    """Return a landscape: sky, sun and hills."""
    chance = random.Random(seed)
    width, height = size
    image = Image.new("RGB", size)
    draw = ImageDraw.Draw(image)
    for y in range(height):
        share = y / height
        draw.line([(0, y), (width, y)], fill=(int(90 + 150 * share), int(140 + 80 * share), int(220 - 60 * share)))
    x, y = chance.randrange(100, width - 200), chance.randrange(60, 200)
    draw.ellipse([x, y, x + 90, y + 90], fill=(255, 236, 170))
    for layer in range(4):
        base, shade = height * (0.5 + 0.13 * layer), 150 - 32 * layer
        ridge = [(width * step / 12, base + chance.uniform(-55, 45)) for step in range(13)]
        outline = [(0.0, float(height)), *ridge, (float(width), float(height))]
        draw.polygon(outline, fill=(shade // 3, shade, shade // 2))
    return image


def main() -> None:
    """Write all files."""
    with ORDERS.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(orders())
    PHOTOS.mkdir(exist_ok=True)
    for seed, name in enumerate(("coast", "valley", "ridge")):
        photo(seed).save(PHOTOS / f"{name}.jpg", quality=80)


if __name__ == "__main__":
    main()
