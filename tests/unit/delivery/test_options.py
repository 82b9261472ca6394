"""A kombu connection says where its Redis is, whatever form its URL has."""

import pytest
from kombu import Connection

import celeriac.transport  # noqa: F401  # makes its schemes known
from celeriac.transport.options import redis_settings, session_options


@pytest.mark.parametrize(
    ("url", "options", "expected"),
    [
        ("redis://u:p@h:1/2", {}, "redis://h:1/2"),
        ("celeriac-redis://u:p@h:1/2", {}, "redis://h:1/2"),
        ("redis://", {}, "redis://127.0.0.1:6379/0"),
        (
            "sentinel://:p@a:1/3;sentinel://:p@b:2/3",
            {"master_name": "m", "sentinel_kwargs": {"password": "s"}},
            "sentinel://a:1,b:2/3",
        ),
        ("celeriac-sentinel://a:1/0;celeriac-sentinel://b:2/0", {"master_name": "m"}, "sentinel://a:1,b:2/0"),
    ],
)
def test_the_url(url: str, options: dict[str, object], expected: str) -> None:
    found = redis_settings(Connection(url, transport_options=options))
    assert found.url == expected
    if "p@" in url:
        assert found.password is not None
        assert found.password.get_secret_value() == "p"
    if "sentinel_kwargs" in options:
        assert found.sentinel_password is not None


def test_delivery_options_are_read_by_name() -> None:
    options = {"celeriac": {"group": "io", "lease_seconds": 7, "max_deliveries": 2, "keep_seconds": 60}}
    found = session_options(Connection("redis://h:1/0", transport_options=options))
    assert (found.group, found.keep_seconds) == ("io", 60)
    assert (found.delivery.lease_seconds, found.delivery.max_deliveries) == (7, 2)


def test_an_unknown_option_is_an_error() -> None:
    with pytest.raises(TypeError, match="leese_seconds"):
        session_options(Connection("redis://h:1/0", transport_options={"celeriac": {"leese_seconds": 1}}))
