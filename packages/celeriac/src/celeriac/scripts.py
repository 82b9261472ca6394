"""Lua scripts: their text, and running them by hash.

A script is ``lua/<name>.lua`` behind ``lua/prelude.lua`` and a table of constants made from :mod:`celeriac.keys` and
:mod:`celeriac.states`, so that no key name or transition is written down twice. Scripts build some key names from
the ids they are given; that rules out Redis Cluster, and nothing else.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import redis
import redis.asyncio

from celeriac import keys
from celeriac.message import lonely_tails
from celeriac.states import FINAL, TRANSITIONS

Argument = str | bytes | int | float


@dataclass(frozen=True, slots=True)
class Script:
    """A script's whole text and the hash Redis knows it by."""

    name: str
    text: str
    sha: str


@cache
def script(name: str) -> Script:
    """Return the script ``lua/<name>.lua``, with as much of the prelude and of the constants as it uses.

    Redis runs the whole text at each call, and the parts that are not used would take longer than many a script.
    """
    lua = files("celeriac") / "lua"
    body = (lua / f"{name}.lua").read_text()
    used = body
    for part in reversed(re.split(r"\n\n(?=--|local )", (lua / "prelude.lua").read_text())):
        names = re.findall(r"^local (?:function )?(\w+)", part, re.MULTILINE)
        if any(re.search(rf"\b{each}\b", _without_comments(used)) for each in names):
            used = f"{part}\n\n{used}"
    text = f"{_constants(_without_comments(used))}\n\n{used}"
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def run(client: redis.Redis, name: str, keys_: Sequence[str | bytes], arguments: Sequence[Argument]) -> Any:
    """Run a script, sending its text only when the server does not know it (restart, failover, SCRIPT FLUSH)."""
    code = script(name)
    try:
        return client.evalsha(code.sha, len(keys_), *keys_, *arguments)
    except redis.exceptions.NoScriptError:
        return client.eval(code.text, len(keys_), *keys_, *arguments)


async def run_async(
    client: redis.asyncio.Redis, name: str, keys_: Sequence[str | bytes], arguments: Sequence[Argument]
) -> Any:
    """Run a script as :func:`run` does, on an asyncio client."""
    code = script(name)
    try:
        return await client.evalsha(code.sha, len(keys_), *keys_, *arguments)
    except redis.exceptions.NoScriptError:
        return await client.eval(code.text, len(keys_), *keys_, *arguments)


def _without_comments(text: str) -> str:
    return re.sub(r"--.*", "", text)


def _constants(text: str) -> str:
    """Return the constants that the Lua *text* uses."""
    names = {
        "RUN": keys.RUN,
        "RUNS": keys.RUNS,
        "TASKS": keys.TASKS,
        "UNACKED": keys.UNACKED,
        "LEASES": keys.LEASES,
        "DELAYED": keys.DELAYED,
        "DEAD": keys.DEAD,
        "DEAD_LETTER": keys.DEAD_LETTER,
        "CANCELS": keys.CANCELS,
        "ENDED": keys.ENDED,
        "LEADER": keys.LEADER,
        "FENCE": keys.FENCE,
        "SCHEDULES": keys.SCHEDULES,
        "SCHEDULE": keys.SCHEDULE,
        "SCHEDULE_IDS": keys.SCHEDULE_IDS,
        "SCHEDULE_HISTORY": keys.SCHEDULE_HISTORY,
        "SCHEDULES_HELD": keys.SCHEDULES_HELD,
        "SCHEDULE_DECLARED": keys.SCHEDULE_DECLARED,
        "RESULT": keys.RESULT,
        "ARTIFACT": keys.ARTIFACT,
        "CATALOG_GROUP": keys.CATALOG_GROUP,
    }
    table = ", ".join(f"{name} = '{value}'" for name, value in names.items() if f"KEY.{name}" in text)
    final = ", ".join(f"{state} = true" for state in sorted(FINAL))
    actors = re.findall(r"may_move\('(\w+)'", text)
    moves = ", ".join(
        f"{actor} = {{ "
        + ", ".join(
            f"{old} = {{ {', '.join(f'{new} = true' for new in sorted(news))} }}"
            for old, news in sorted(table_.items())
        )
        + " }"
        for actor, table_ in sorted(TRANSITIONS.items())
        if actor in actors
    )
    tails = ", ".join(f"'{tail}'" for tail in lonely_tails())
    tables = {"KEY": table, "LONELY_TAILS": tails, "FINAL": final, "MOVES": moves}
    used = {name: rows for name, rows in tables.items() if re.search(rf"\b{name}\b", text)}
    return "\n".join(f"local {name} = {{ {rows} }}" for name, rows in used.items())
