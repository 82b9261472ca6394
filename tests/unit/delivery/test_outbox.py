"""The outbox keeps the order of what happened, and says it in as few scripts as that allows."""

from celeriac.outbox import Finish, Outbox, Requeue, Retry, Start, calls
from celeriac.states import State


def test_a_row_of_one_kind_is_one_script() -> None:
    batch = [
        Finish("a|1|q", "1", State.SUCCEEDED),
        Finish("a|2|q", "2", State.FAILED, error="{}"),
        Requeue("a|3|q", "3"),
        Finish("a|4|q", "4", State.SUCCEEDED),
    ]
    rows = calls(batch, now=0)
    assert [(row.script, [entry.id for entry in row.entries]) for row in rows] == [
        ("finish", ["1", "2"]),
        ("requeue", ["3"]),
        ("finish", ["4"]),
    ]


def test_a_start_that_was_not_told_yet_is_told_with_the_end() -> None:
    outbox = Outbox()
    outbox.add(Start("a|1|q", "1", at=10.0))
    outbox.add(Finish("a|1|q", "1", State.SUCCEEDED, at=10.5))
    (entry,) = outbox.take()
    assert isinstance(entry, Finish)
    assert entry.arguments(now=11.0)[3:5] == (1000, 500)


def test_a_start_that_was_sent_is_not_told_again() -> None:
    outbox = Outbox()
    outbox.add(Start("a|1|q", "1", at=10.0))
    assert len(outbox.take()) == 1
    outbox.add(Finish("a|1|q", "1", State.SUCCEEDED, at=10.5))
    assert [type(entry) for entry in outbox.take()] == [Start, Finish]
    outbox.confirm(1)
    (entry,) = outbox.take()
    assert isinstance(entry, Finish)
    assert entry.began is None


def test_entries_stay_until_they_are_confirmed() -> None:
    outbox = Outbox()
    for number in range(250):
        outbox.add(Requeue(f"a|{number}|q", str(number)))
    first = outbox.take()
    assert [entry.id for entry in outbox.take()] == [entry.id for entry in first]
    assert first[0].attempts == 2
    outbox.confirm(len(first))
    assert outbox.take()[0].id == str(len(first))
    assert len(outbox) == 250 - len(first)


def test_what_was_refused_gives_way() -> None:
    outbox = Outbox()
    outbox.add(Finish("a|1|q", "1", State.SUCCEEDED))
    outbox.add(Finish("a|2|q", "2", State.SUCCEEDED))
    outbox.replace_first(Requeue("a|1|q", "1", front=False))
    assert [entry.script for entry in outbox.take()] == ["requeue", "finish"]
    outbox.replace_first(None)
    assert [entry.id for entry in outbox.take()] == ["2"]


def test_adding_tells_when_somebody_must_be_woken() -> None:
    outbox = Outbox()
    assert outbox.add(Requeue("a|1|q", "1"))
    assert not outbox.add(Requeue("a|2|q", "2"))


def test_a_retry_says_when_it_is_due_by_the_epoch() -> None:
    entry = Retry("a|1|q", "1", "task", "q", "q", 3, "{}", due=12.5, retries=2)
    assert entry.arguments(now=99)[6:8] == (12500, 2)
