"""The Redis set, broken in every way it has to survive."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from kubernetes.client.exceptions import ApiException
from tests.e2e.helm import install
from tests.e2e.kube import Kube, Script
from tests.e2e.wait import wait_for

VALUES: dict[str, object] = {
    "api": {"enabled": False},
    "scheduler": {"enabled": False},
    "flower": {"enabled": False},
    "workers": {"default": None},
    "redis": {"config": {"enable-debug-command": "local"}, "sentinel": {"rebootDownAfterMilliseconds": 60_000}},
}
STALL = 15


@dataclass
class RedisSet:
    """The three pods as an observer sees them."""

    kube: Kube

    def cli(self, pod: str, *command: str) -> str:
        """Run a command on one member; a member that is not there answers nothing."""
        try:
            return self.kube.run(pod, "redis-cli", *command, container="redis").strip()
        except ApiException:
            return ""

    def masters(self) -> list[str]:
        """Return the pods that say they are master."""
        names = [pod.metadata.name for pod in self.kube.pods("redis")]
        return [name for name in names if self.cli(name, "ROLE").startswith("master")]

    def settled(self) -> bool:
        """Tell whether all three are ready, one is master, and two follow it."""
        if not self.kube.ready("redis", 3):
            return False
        masters = self.masters()
        return len(masters) == 1 and "connected_slaves:2" in self.cli(masters[0], "INFO", "replication")

    def replicas(self) -> list[str]:
        """Return the pods that say they are replicas."""
        names = [pod.metadata.name for pod in self.kube.pods("redis")]
        return [name for name in names if self.cli(name, "ROLE").startswith("slave")]

    def written(self, pod: str) -> int:
        """Return how many writes of the witness a member holds."""
        return int(self.cli(pod, "SCARD", "witness") or 0)

    def hang(self, pod: str, seconds: int) -> None:
        """Have the Redis of a pod answer nobody for a while, as when its disk stalls."""
        self.kube.run(pod, "sh", "-c", f"redis-cli DEBUG SLEEP {seconds} >/dev/null 2>&1 &", container="redis")

    def silence(self, pod: str) -> int:
        """Return for how many milliseconds the Sentinel of a pod has not heard of the master; 0 while it starts."""
        ask = 'REDISCLI_AUTH="$SENTINEL_PASSWORD" redis-cli -p 26379 --raw SENTINEL MASTER mymaster'
        try:
            answer = self.kube.run(pod, "sh", "-c", ask, container="sentinel").split("\n")
        except ApiException:
            return 0
        fields = dict(zip(answer[::2], answer[1::2], strict=False))
        return int(fields.get("last-ok-ping-reply", 0))

    def master(self) -> str:
        """Return the one master, once all have settled."""
        wait_for("one master with two replicas", self.settled, 120)
        return self.masters()[0]


@pytest.fixture(scope="module")
def redis_set(kube: Kube) -> RedisSet:
    install("celeriac", kube.namespace, VALUES)
    redis_set = RedisSet(kube)
    redis_set.master()
    return redis_set


@pytest.fixture
def witness(redis_set: RedisSet, request: pytest.FixtureRequest) -> Iterator[Script]:
    kube = redis_set.kube
    members = ",".join(
        f"celeriac-redis-{i}.celeriac-redis-members.{kube.namespace}.svc.cluster.local:26379" for i in range(3)
    )
    redis_set.cli(redis_set.master(), "DEL", "witness")

    def secret(key: str) -> dict[str, object]:
        return {"secretKeyRef": {"name": "celeriac-redis", "key": key}}

    script = kube.start(
        f"witness-{abs(hash(request.node.name)) % 10_000}",
        "witness.py",
        labels={"celeriac.dev/redis-client": "celeriac"},
        env=[
            {"name": "SENTINELS", "value": members},
            {"name": "REDIS_PASSWORD", "valueFrom": secret("redis-password")},
            {"name": "SENTINEL_PASSWORD", "valueFrom": secret("sentinel-password")},
        ],
    )
    script.said("writing")
    yield script
    kube.delete_pod(script.name, 0)


def finish(redis_set: RedisSet, witness: Script) -> dict[str, float]:
    redis_set.master()
    witness.stop()
    result: dict[str, float] = witness.result()
    print(result)
    return result


def test_a_deleted_master_hands_over_and_no_write_is_lost(redis_set: RedisSet, witness: Script) -> None:
    old = redis_set.master()
    redis_set.kube.delete_pod(old)
    wait_for("another master", lambda: [m for m in redis_set.masters() if m != old], 60)
    result = finish(redis_set, witness)
    assert result["lost"] == 0
    assert result["longest_stall"] <= STALL


def test_a_replica_that_hangs_is_not_handed_over_to(redis_set: RedisSet, witness: Script) -> None:
    old = redis_set.master()
    hangs, follows = redis_set.replicas()
    redis_set.hang(hangs, 30)
    redis_set.kube.delete_pod(old)
    wait_for("another master", lambda: follows in redis_set.masters(), 60)
    # Not how long it took: until the old master is back there is nobody to take a second copy of a write.
    assert finish(redis_set, witness)["lost"] == 0


def test_all_three_deleted_at_once_come_back_with_every_write(redis_set: RedisSet, witness: Script) -> None:
    uids = {pod.metadata.uid for pod in redis_set.kube.pods("redis")}
    for pod in redis_set.kube.pods("redis"):
        redis_set.kube.delete_pod(pod.metadata.name)
    wait_for("three new pods", lambda: all(p.metadata.uid not in uids for p in redis_set.kube.pods("redis")), 120)
    assert finish(redis_set, witness)["lost"] == 0


def test_all_three_killed_without_grace_come_back_with_every_write(redis_set: RedisSet, witness: Script) -> None:
    uids = {pod.metadata.uid for pod in redis_set.kube.pods("redis")}
    for pod in redis_set.kube.pods("redis"):
        redis_set.kube.delete_pod(pod.metadata.name, 0)
    wait_for("three new pods", lambda: all(p.metadata.uid not in uids for p in redis_set.kube.pods("redis")), 120)
    assert finish(redis_set, witness)["lost"] == 0


def test_a_master_that_comes_back_last_brings_what_only_it_had(redis_set: RedisSet, witness: Script) -> None:
    kube = redis_set.kube
    old, replicas = redis_set.master(), redis_set.replicas()
    for replica in replicas:
        redis_set.hang(replica, 10)
    written = redis_set.written(old)
    wait_for("writes that no replica has", lambda: redis_set.written(old) > written + 100, 3)
    redis_set.cli(old, "CONFIG", "SET", "auto-aof-rewrite-percentage", "0")
    kube.run(old, "mv", "/data/appendonlydir", "/data/late", container="redis")  # as a disk that is slow to come back
    for pod in kube.pods("redis"):
        kube.delete_pod(pod.metadata.name, 0)
    # Longer than a Sentinel waits for a master that it knew, shorter than for one that may come back.
    wait_for("a long silence", lambda: all(redis_set.silence(replica) > 8_000 for replica in replicas), 60)

    def there() -> bool:
        try:
            return kube.run(old, "ls", "/data/late", container="redis").startswith("appendonly")
        except ApiException:
            return False

    wait_for("the start of the last master", there, 30)
    kube.run(old, "mv", "/data/late", "/data/appendonlydir", container="redis")
    assert finish(redis_set, witness)["lost"] == 0
    assert redis_set.master() == old


def test_a_master_that_comes_back_empty_does_not_wipe_the_others(redis_set: RedisSet, witness: Script) -> None:
    old = redis_set.master()
    redis_set.kube.core.delete_namespaced_persistent_volume_claim(f"data-{old}", redis_set.kube.namespace)
    redis_set.kube.delete_pod(old, 0)
    result = finish(redis_set, witness)
    # What a master acknowledges in the last milliseconds before it dies may not have reached a replica.
    assert result["lost"] <= 5
    assert result["acknowledged"] > 100


def test_a_rolling_restart_loses_nothing(redis_set: RedisSet, witness: Script) -> None:
    kube = redis_set.kube
    body = {"spec": {"template": {"metadata": {"annotations": {"celeriac.dev/restarted": witness.name}}}}}
    kube.apps.patch_namespaced_stateful_set("celeriac-redis", kube.namespace, body)

    def updated() -> bool:
        found = kube.apps.read_namespaced_stateful_set("celeriac-redis", kube.namespace)
        status = found.status
        return bool(
            status.observed_generation >= found.metadata.generation
            and status.update_revision == status.current_revision
            and status.updated_replicas == 3
        )

    wait_for("the end of the rolling restart", updated, 240)
    result = finish(redis_set, witness)
    assert result["lost"] == 0
    assert result["longest_stall"] <= STALL


def test_a_fourth_member_is_refused(redis_set: RedisSet) -> None:
    kube = redis_set.kube
    kube.apps.patch_namespaced_stateful_set_scale("celeriac-redis", kube.namespace, {"spec": {"replicas": 4}})

    def refused() -> bool:
        pods = {pod.metadata.name: pod for pod in kube.pods("redis")}
        if "celeriac-redis-3" not in pods:
            return False
        statuses = pods["celeriac-redis-3"].status.init_container_statuses or []
        return any(status.restart_count > 0 for status in statuses)

    wait_for("the refusal of a fourth member", refused, 60)
    log = kube.core.read_namespaced_pod_log("celeriac-redis-3", kube.namespace, container="sentinel")
    assert "scale it back to 3" in log
    kube.apps.patch_namespaced_stateful_set_scale("celeriac-redis", kube.namespace, {"spec": {"replicas": 3}})
    assert redis_set.master()
