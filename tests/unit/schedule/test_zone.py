from datetime import UTC, datetime
from itertools import pairwise

import pytest

from celeriac.schedule import zone


def test_a_year_has_no_hole_and_no_overlap() -> None:
    """The fresh times and gaps of a date are all its times, once each, whatever clocks do that day."""
    first = datetime(2026, 1, 1, tzinfo=UTC).toordinal()
    for name in ("Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca", "Antarctica/Troll", "Africa/Cairo"):
        for ordinal in range(first, first + 730):
            parts = sorted(
                (piece.first, piece.end) if isinstance(piece, zone.Skipped) else (piece.fresh, piece.end)
                for piece in zone.day(name, ordinal)
                if isinstance(piece, zone.Skipped) or piece.fresh < piece.end
            )
            assert parts[0][0] == 0
            assert parts[-1][1] == zone.DAY
            assert all(before[1] == after[0] for before, after in pairwise(parts)), (
                name,
                ordinal,
            )


def test_changes_are_found_to_the_second() -> None:
    year = [int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2026, 2027)]
    assert [
        (datetime.fromtimestamp(change.instant, UTC).isoformat(), change.before, change.after)
        for change in zone.changes("Europe/Berlin", *year)
    ] == [("2026-03-29T01:00:00+00:00", 3600, 7200), ("2026-10-25T01:00:00+00:00", 7200, 3600)]


@pytest.mark.parametrize("name", ["Berlin", "europe/berlin", "", "../etc/passwd", "/etc/localtime", "UTC+1"])
def test_unknown_zones_are_refused(name: str) -> None:
    with pytest.raises(zone.UnknownZoneError):
        zone.zone(name)


def test_names_near_the_wrong_one_are_told() -> None:
    with pytest.raises(zone.UnknownZoneError, match="did you mean America/New_York"):
        zone.zone("new york")
