"""The lease itself: one leader at a time, and an old one that can do nothing."""

import threading
import time

import pytest
import redis

from celeriac import keys
from celeriac.errors import FencedError
from celeriac.leader import Leader
from celeriac.testing import Server, until

LEASE = 1.0


def running(leader: Leader) -> tuple[threading.Thread, threading.Event]:
    stop = threading.Event()
    thread = threading.Thread(target=leader.run, args=[stop])
    thread.start()
    return thread, stop


def test_the_first_leads_and_the_second_stands_by(client: redis.Redis) -> None:
    first, second = (Leader(client, lease_seconds=60) for _ in range(2))
    first.attempt()
    wait = second.attempt()
    assert (first.fence, second.fence) == (f"1:{first.instance}", None)
    assert 0 < wait <= 20


def test_a_standby_follows_when_the_lease_ends(client: redis.Redis) -> None:
    first, second = (Leader(client, lease_seconds=LEASE) for _ in range(2))
    first.attempt()
    thread, stop = running(second)
    took = until(lambda: second.fence)
    stop.set()
    thread.join()
    assert second.instance.encode() not in (client.get(keys.LEADER) or b"")
    assert took < LEASE + 2
    assert first.fence is None, "its own clock must tell it that its lease has ended"


def test_a_leader_that_stops_leaves_at_once(client: redis.Redis) -> None:
    first, second = (Leader(client, lease_seconds=60) for _ in range(2))
    thread, stop = running(first)
    until(lambda: first.fence)
    stop.set()
    thread.join()
    second.attempt()
    assert second.fence == f"2:{second.instance}"


def test_an_old_leader_changes_nothing(client: redis.Redis) -> None:
    """As after SIGSTOP: its own clock has not told it yet that its lease has ended, and another one leads."""
    old, new = Leader(client, lease_seconds=60), Leader(client, lease_seconds=60)
    old.attempt()
    client.delete(keys.LEADER)
    new.attempt()
    client.hset(keys.RUN + "r", mapping={"state": "scheduled", "list": "q", "message": "{}"})
    client.zadd(keys.DELAYED, {"r": 1})
    before = {key: client.dump(key) for key in client.scan_iter()}

    for script, keys_, arguments in (
        ("promote", [keys.DELAYED], [10]),
        ("reclaim", [keys.LEASES, keys.LEASES_WATCHED], [10, 5, 10, 60, 0, 0]),
    ):
        old._token, old._ends = f"1:{old.instance}", time.monotonic() + 60
        with pytest.raises(FencedError):
            old.call(script, keys_, arguments)
    assert {key: client.dump(key) for key in client.scan_iter()} == before
    assert old.fence is None
    assert new.call("promote", [keys.DELAYED], [10]) == [1, -1]


def test_a_standby_calls_nothing(client: redis.Redis) -> None:
    with pytest.raises(FencedError, match="stands by"):
        Leader(client, lease_seconds=60).call("promote", [keys.DELAYED], [10])


def test_a_missed_answer_to_the_takeover_is_made_up_for(client: redis.Redis) -> None:
    leader = Leader(client, lease_seconds=60)
    leader.attempt()
    again = Leader(client, lease_seconds=60, instance=leader.instance)
    again.attempt()
    assert again.fence == leader.fence == f"1:{leader.instance}"


def test_a_lease_without_an_end_is_given_one(client: redis.Redis) -> None:
    client.set(keys.LEADER, "9:by-hand")
    Leader(client, lease_seconds=LEASE).attempt()
    assert 0 < client.pttl(keys.LEADER) <= LEASE * 1000


def test_an_outage_is_sat_out(server: Server) -> None:
    """Redis killed, back after longer than the lease: not leading in between, leading again after, thread alive."""
    with server.client() as client:
        leader = Leader(client, lease_seconds=LEASE)
        thread, stop = running(leader)
        until(lambda: leader.fence)
        server.kill()
        until(lambda: leader.fence is None)
        server.start()
        until(lambda: leader.fence)
        assert thread.is_alive()
        stop.set()
        thread.join()


def test_a_hung_server_ends_leadership_by_the_clock_here(server: Server) -> None:
    with server.client() as client:
        leader = Leader(client, lease_seconds=LEASE)
        leader.attempt()
        server.hang()
        assert until(lambda: leader.fence is None) < LEASE + 1
        server.resume()
