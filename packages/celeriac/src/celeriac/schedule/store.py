"""Schedules in Redis: what the API does to them, each change one script.

Changes carry a version: one that was made from an older version than the stored one is refused when the caller asked
for that, and made again from the newer one when not.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import uuid4

import redis.asyncio
from kombu.utils.json import dumps

from celeriac import keys, scripts
from celeriac.errors import ConflictError, NotFoundError
from celeriac.schedule import firing
from celeriac.schedule.change import Change, change, name_fault
from celeriac.schedule.definition import CatchUp, Definition, Overlap
from celeriac.schedule.fault import InvalidScheduleError
from celeriac.schedule.plan import due_at
from celeriac.schedule.stored import Event, Stored, readable

_ATTEMPTS: Final = 5


class VersionError(ConflictError):
    """The schedule has changed since the version that the caller named."""

    code = "changed-since"
    status = 412

    def __init__(self, id: str, version: int) -> None:
        super().__init__(f"The schedule {id!r} is at version {version}: read it again and decide anew")
        self.version = version


class OwnedByCodeError(ConflictError):
    """The schedule is declared in a task package, and only its code changes it."""

    code = "owned-by-code"

    def __init__(self, id: str) -> None:
        super().__init__(
            f"The schedule {id!r} is declared in code: change it there, or choose another name. "
            "It can be paused, resumed and run from here"
        )


class Page(NamedTuple):
    """Schedules in order of their ids, and the id to go on after, None at the end."""

    schedules: list[Stored]
    after: str | None


class Schedules:
    """The schedules of one Redis, on an asyncio client. Raises whatever the client raises when Redis is away."""

    def __init__(self, client: redis.asyncio.Redis, timezone: str, keep_seconds: int) -> None:
        self._client = client
        self._timezone = timezone
        self._keep = keep_seconds

    async def now(self) -> int:
        """Return Redis' time in milliseconds."""
        seconds, micros = await self._client.time()
        return int(seconds) * 1000 + int(micros) // 1000

    async def find(self, id: str) -> Stored | None:
        """Return the schedule *id*, None when there is none."""
        return Stored.read(id, await self._client.hgetall(keys.SCHEDULE + id))

    async def get(self, id: str) -> Stored:
        """Return the schedule *id*.

        Raises:
            NotFoundError: there is none.
        """
        stored = await self.find(id)
        if stored is None:
            raise NotFoundError(f"There is no schedule {id!r}")
        return stored

    async def page(self, after: str | None, limit: int) -> Page:
        """Return up to *limit* schedules in order of their ids, beginning after the id *after*."""
        start = f"({after}" if after is not None else "-"
        ids: Any = await self._client.zrangebylex(keys.SCHEDULE_IDS, start, "+", 0, limit + 1)
        names = [id.decode() for id in ids[:limit]]
        async with self._client.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.hgetall(keys.SCHEDULE + name)
            fields = await pipeline.execute()
        return Page(list(readable(zip(names, fields, strict=True))), names[-1] if len(ids) > limit else None)

    async def history(self, id: str, limit: int = firing.HISTORY) -> list[Event]:
        """Return what became of the last fires, newest first."""
        entries = await self._client.lrange(keys.SCHEDULE_HISTORY + id, 0, limit - 1)
        return [Event.model_validate_json(entry) for entry in entries]

    async def create(self, id: str, definition: Definition, arguments: tuple[Sequence[Any], Any]) -> Stored:
        """Make a schedule. *arguments* are the args and kwargs as the task is to receive them.

        Raises:
            InvalidScheduleError: it never fires, or the id is no name.
            ConflictError: the id is taken.
        """
        if fault := name_fault(id):
            raise InvalidScheduleError.of([fault])
        made = change(id, definition, None, await self.now(), self._timezone)
        outcome, version, source = await self._write(made, arguments, "0")
        if outcome == "clash":
            raise OwnedByCodeError(id)
        if outcome == "changed":
            raise ConflictError(f"There is a schedule {id!r} already, at version {version}, made over {source}")
        return await self.get(id)

    async def replace(
        self, id: str, definition: Definition, arguments: tuple[Sequence[Any], Any], version: int | None = None
    ) -> Stored:
        """Replace a schedule's definition, or make the schedule. Its next fire stays when its times do.

        Raises:
            InvalidScheduleError: it never fires, or the id is no name.
            VersionError: it is not at *version* (any longer); 0 means that it must not exist.
            OwnedByCodeError: it is declared in code.
        """
        if fault := name_fault(id):
            raise InvalidScheduleError.of([fault])
        for _ in range(_ATTEMPTS):
            now, current = await self.now(), await self.find(id)
            if current and current.source == "code":
                raise OwnedByCodeError(id)
            base = current.version if current else 0
            if version is not None and version != base:
                raise VersionError(id, base)
            made = change(id, definition, current, now, self._timezone)
            outcome, *_ = await self._write(made, arguments, str(base))
            if outcome in ("written", "same"):
                return await self.get(id)
        raise ConflictError(f"The schedule {id!r} is being changed by others all the time; try again")

    async def _write(self, made: Change, arguments: tuple[Sequence[Any], Any], expected: str) -> tuple[str, int, str]:
        return _answer(await scripts.run_async(self._client, *write_call(made, arguments, expected, "http", "")))

    async def delete(self, id: str, version: int | None = None, *, anyway: bool = False) -> None:
        """Remove a schedule. Runs it has submitted go on.

        *anyway* removes one that is declared in code too; it comes back with the next start of who declares it.

        Raises:
            NotFoundError: there is none.
            VersionError: it is not at *version*.
            OwnedByCodeError: it is declared in code.
        """
        expected = "" if version is None else str(version)
        answer = await scripts.run_async(
            self._client, "schedule_delete", [keys.SCHEDULE + id], [id, expected, "" if anyway else "http"]
        )
        self._check(id, *_answer(answer))

    async def pause(self, id: str, reason: str, version: int | None = None) -> Stored:
        """Stop a schedule's fires until :meth:`resume`. Pausing a paused one changes nothing.

        Raises:
            NotFoundError: there is none.
            VersionError: it is not at *version*.
        """
        expected = "" if version is None else str(version)
        answer = await scripts.run_async(
            self._client, "schedule_pause", [keys.SCHEDULE + id], ["", id, expected, "pause", reason, "", ""]
        )
        self._check(id, *_answer(answer))
        return await self.get(id)

    async def resume(self, id: str, catch_up: CatchUp | None = None, version: int | None = None) -> Stored:
        """Let a paused schedule go on. *catch_up* NONE leaves out what was missed; else its own policy decides.

        Raises:
            NotFoundError: there is none.
            VersionError: it is not at *version*.
        """
        for _ in range(_ATTEMPTS):
            now, stored = await self.now(), await self.get(id)
            base = stored.version if version is None else version
            fire: int | None = stored.next
            if catch_up is CatchUp.NONE and fire is not None and fire <= now:
                fire = stored.definition.rule().after(now)
            planned = "" if fire is None else "keep" if fire == stored.next else str(fire)
            due = "" if fire is None else str(due_at(id, fire, stored.definition))
            answer = _answer(
                await scripts.run_async(
                    self._client,
                    "schedule_pause",
                    [keys.SCHEDULE + id],
                    ["", id, str(base), "resume", "", planned, due],
                )
            )
            if answer[0] != "changed" or version is not None:
                self._check(id, *answer)
                return await self.get(id)
        raise ConflictError(f"The schedule {id!r} is being changed by others all the time; try again")

    async def run_now(self, id: str, target: firing.Target, *, key: str | None = None, anyway: bool = False) -> str:
        """Submit a run now, beside the schedule's own fires, and return its id.

        The overlap policy holds unless *anyway*. The same *key* is the same run.

        Raises:
            NotFoundError: there is no such schedule.
            ConflictError: the run before is not final, and the policy leaves this one out or holds it.
        """
        for _ in range(_ATTEMPTS):
            now, stored = await self.now(), await self.get(id)
            payload: Any = await self._client.hget(keys.SCHEDULE + id, "payload")
            submitted = firing.run_id(id, f"asked {key or uuid4()}")
            step = firing.asked(stored, (payload or b"[[],{}]").decode(), now, submitted, target)
            if anyway:
                step["overlap"] = Overlap.ALLOW.value
            ((ran, held, _),) = await scripts.run_async(
                self._client, "schedule_fire", *firing.call("", [step], self._keep)
            )
            if ran >= 0:
                return self._asked(id, submitted, ran, held)
        raise ConflictError(f"The schedule {id!r} is being changed by others all the time; try again")

    @staticmethod
    def _asked(id: str, submitted: str, ran: int, held: int) -> str:
        if ran:
            return submitted
        if held:
            raise ConflictError(f"The last run of {id!r} is not final: this one is held until it is")
        raise ConflictError(f"The last run of {id!r} is not final, and its overlap policy leaves this one out")

    @staticmethod
    def _check(id: str, outcome: str, version: int, _source: str) -> None:
        if outcome == "missing":
            raise NotFoundError(f"There is no schedule {id!r}")
        if outcome == "changed":
            raise VersionError(id, version)
        if outcome == "clash":
            raise OwnedByCodeError(id)


def write_call(
    made: Change, arguments: tuple[Sequence[Any], Any], expected: str, source: str, declarer: str
) -> tuple[str, list[str], list[scripts.Argument]]:
    """Return the script, keys and arguments that write *made*."""
    args, kwargs = arguments
    return (
        "schedule_write",
        [keys.SCHEDULE + made.id],
        [
            made.id,
            expected,
            source,
            made.definition.model_dump_json(),
            dumps([list(args), dict(kwargs)]),
            "keep" if made.next is None else made.next,
            made.due or "",
            declarer,
        ],
    )


def _answer(answer: Any) -> tuple[str, int, str]:
    outcome, version, source = answer
    return outcome.decode(), int(version), source.decode()
