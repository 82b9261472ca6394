"""Sentinels and data servers with passwords of their own and TLS: everything by settings alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import trustme

from celeriac import keys
from celeriac.redis import connect, connect_async
from celeriac.settings.redis import RedisSettings
from celeriac.settings.task import DeliverySettings
from celeriac.submit import Submission, submit
from celeriac.testing import Platform, SentinelGroup, TlsFiles

PASSWORDS = {"redis_password": "of-the-data", "redis_sentinel_password": "of-the-sentinels"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    (folder / "cert.pem").write_bytes(b"".join(part.bytes() for part in certificate.cert_chain_pems))
    return TlsFiles(folder / "cert.pem", folder / "key.pem", folder / "ca.pem")


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory, files: TlsFiles) -> Iterator[SentinelGroup]:
    with SentinelGroup(
        tmp_path_factory.mktemp("sentinels"),
        password=PASSWORDS["redis_password"],
        sentinel_password=PASSWORDS["redis_sentinel_password"],
        tls=files,
    ) as group:
        yield group


@pytest.fixture
def given(group: SentinelGroup, files: TlsFiles) -> dict[str, str | None]:
    return {
        "url": group.url,
        "password": group.password,
        "sentinel_password": group.sentinel_password,
        "tls_ca_file": str(files.authority),
    }


async def test_both_clients_reach_the_master(given: dict[str, str | None]) -> None:
    settings = RedisSettings.model_validate(given)
    with connect(settings) as client:
        assert client.ping()
    client_async = connect_async(settings)
    assert await client_async.ping()
    await client_async.aclose()


def test_a_worker_runs_a_task_and_keeps_its_result(group: SentinelGroup, files: TlsFiles, tmp_path: Path) -> None:
    with Platform(
        tmp_path, group.url, redis_tls_ca_file=str(files.authority), task_packages="cookbook.patterns", **PASSWORDS
    ) as platform:
        platform.worker()
        run = platform.send(platform.app.signature("cookbook.patterns.basic.add", args=[2, 3]))
        assert platform.ended(run).state == "succeeded"
        assert platform.client.exists(keys.RESULT + run)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"password": "wrong"}, redis.AuthenticationError),
        ({"sentinel_password": "wrong"}, redis.RedisError),
        ({"tls_ca_file": None}, redis.ConnectionError),
    ],
)
def test_each_of_them_is_needed(
    given: dict[str, str | None], change: dict[str, str | None], error: type[Exception]
) -> None:
    settings = RedisSettings.model_validate({**given, **change})
    with connect(settings) as client, pytest.raises(error):
        submit(client, Submission(task="t", queue="default", priority=0), DeliverySettings())
