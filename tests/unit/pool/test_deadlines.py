import asyncio

from celeriac.pool.deadlines import Deadlines


async def test_due_in_order_of_time() -> None:
    due: list[tuple[str, float]] = []
    done = asyncio.Event()

    def note(run: str, limit: float) -> None:
        due.append((run, limit))
        if run == "last":
            done.set()

    deadlines = Deadlines[str](asyncio.get_running_loop(), note)
    deadlines.arm("last", 0.03)
    deadlines.arm("a", 0.01)
    deadlines.arm("b", 0.01)
    deadlines.arm("gone", 0.01)
    deadlines.disarm("gone", 0.01)
    deadlines.disarm("never armed", 7)
    await asyncio.wait_for(done.wait(), 5)
    assert due == [("a", 0.01), ("b", 0.01), ("last", 0.03)]


async def test_armed_anew_after_it_has_fired() -> None:
    due: asyncio.Queue[str] = asyncio.Queue()
    deadlines = Deadlines[str](asyncio.get_running_loop(), lambda run, _: due.put_nowait(run))
    for run in ("first", "second"):
        deadlines.arm(run, 0.01)
        assert await asyncio.wait_for(due.get(), 5) == run
