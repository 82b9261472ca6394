import redis

from celeriac import keys
from celeriac.artifacts import Artifact, store
from celeriac.settings.task import ResultSettings


def test_artifacts_are_kept_as_long_as_the_result(client: redis.Redis) -> None:
    store(client, "r-1", [Artifact("a.bin", "image/png", b"\x00\xff")], ResultSettings(expires_seconds=60))
    assert client.hgetall(keys.ARTIFACT + "r-1") == {b"a.bin": b"\x00\xff", b"a.bin:type": b"image/png"}
    assert 0 < int(client.ttl(keys.ARTIFACT + "r-1")) <= 60


def test_artifacts_can_go_with_other_writes_in_one_pipeline(client: redis.Redis) -> None:
    with client.pipeline() as pipeline:
        store(pipeline, "r-1", [Artifact("a.txt", "text/plain", b"x")], ResultSettings())
        assert not client.exists(keys.ARTIFACT + "r-1")
        pipeline.execute()
    assert client.hget(keys.ARTIFACT + "r-1", "a.txt") == b"x"


def test_no_artifacts_make_no_key(client: redis.Redis) -> None:
    store(client, "r-1", [], ResultSettings())
    assert client.keys() == []
