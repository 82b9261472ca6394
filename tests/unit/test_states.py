import subprocess
import sys
from pathlib import Path

import pytest

from celeriac.states import FINAL, TRANSITIONS, Actor, State, allowed


def test_only_a_replay_leads_out_of_a_final_state() -> None:
    ways_out = {
        (actor, old, new)
        for actor, moves in TRANSITIONS.items()
        for old, news in moves.items()
        for new in news
        if old in FINAL
    }
    assert ways_out == {(Actor.OPERATOR, State.DEAD, State.QUEUED)}


def test_every_unfinished_state_can_end() -> None:
    for start in set(State) - FINAL:
        reached, frontier = {start}, [start]
        while frontier:
            old = frontier.pop()
            for moves in TRANSITIONS.values():
                new = moves.get(old, frozenset()) - reached
                reached |= new
                frontier += new
        assert reached & FINAL, start


@pytest.mark.parametrize("old", sorted(State))
def test_a_submitter_moves_no_run(old: State) -> None:
    assert not any(allowed(Actor.SUBMITTER, old, new) for new in State)


def test_only_the_leader_makes_a_delayed_run_due() -> None:
    may = {actor for actor in Actor if allowed(actor, State.SCHEDULED, State.QUEUED)}
    assert may == {Actor.LEADER}


def test_the_page_of_states_is_current() -> None:
    root = Path(__file__).parents[2]
    checked = subprocess.run(
        [sys.executable, "tools/states_page.py", "--check"], cwd=root, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout
