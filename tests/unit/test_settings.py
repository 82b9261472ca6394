import pytest

from celeriac.errors import ConfigurationError
from celeriac.settings import load


def test_sections_and_lists_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERIAC_TASK_PACKAGES", "shop.tasks, mail.tasks")
    monkeypatch.setenv("CELERIAC_WORKER_MAX_TASKS_PER_CHILD", "7")
    settings = load()
    assert settings.task.packages == ["shop.tasks", "mail.tasks"]
    assert settings.worker.max_tasks_per_child == 7


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("CELERIAC_API_PORT", "tcp://10.0.0.1:8000", "CELERIAC_API_PORT: Input should be a valid integer"),
        ("CELERIAC_API_PROT", "8000", "CELERIAC_API_PROT"),
        ("CELERIAC_REDDIS_URL", "redis://x", "CELERIAC_REDDIS_URL is no setting"),
        ("CELERIAC_REDIS_URL", "http://x", "'http' is no scheme of Redis"),
        ("CELERIAC_TASK_TIME_LIMIT", "60", "CELERIAC_TASK_SOFT_TIME_LIMIT (1500) must be below"),
        ("CELERIAC_TASK_DEFAULT_QUEUE", "defualt", "is not among CELERIAC_TASK_QUEUES"),
        ("CELERIAC_TASK_SERIALIZER", "pickle", "CELERIAC_TASK_SERIALIZER: Input should be 'json'"),
        ("CELERIAC_TASK_ROUTES", '{"/(/": "io"}', "CELERIAC_TASK_ROUTES: /(/ is no regular expression"),
        ("CELERIAC_TASK_ROUTERS", "shop.route", "CELERIAC_TASK_ROUTERS: 'shop.route' is no module:function"),
    ],
)
def test_a_bad_value_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError) as error:
        load()
    assert says in str(error.value)


def test_a_placeholder_secret_is_refused_in_production_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERIAC_REDIS_PASSWORD", "change-me")
    assert load().redis.password is not None
    monkeypatch.setenv("CELERIAC_ENVIRONMENT", "production")
    with pytest.raises(ConfigurationError, match="CELERIAC_REDIS_PASSWORD is a placeholder"):
        load()


@pytest.mark.parametrize(
    "variables",
    [
        {"CELERIAC_TASK_SOFT_TIME_LIMIT": "1800", "CELERIAC_TASK_TIME_LIMIT": "1800"},
        {"CELERIAC_TASK_ACKS_LATE": "false", "CELERIAC_TASK_REJECT_ON_WORKER_LOST": "true"},
        {"CELERIAC_TASK_DEFAULT_QUEUE": "nowhere", "CELERIAC_TASK_QUEUES": "default,io"},
        {"CELERIAC_WORKER_QUEUES": "default,nowhere", "CELERIAC_TASK_QUEUES": "default,io"},
        {"CELERIAC_TASK_ROUTES": '{"shop.*": "nowhere"}', "CELERIAC_TASK_QUEUES": "default,io"},
        {"CELERIAC_REDIS_TLS_CA_FILE": "/ca.pem", "CELERIAC_REDIS_URL": "redis://cache"},
        {
            "CELERIAC_REDIS_TLS_CERT_FILE": "/c.pem",
            "CELERIAC_REDIS_TLS_KEY_FILE": "",
            "CELERIAC_REDIS_URL": "redis://x",
        },
        {"CELERIAC_REDIS_SENTINEL_PASSWORD": "s3", "CELERIAC_REDIS_URL": "redis://cache"},
        {"CELERIAC_REDIS_PASSWORD": "s3", "CELERIAC_REDIS_URL": "redis://:other@cache"},
        {"CELERIAC_WORKER_AUTOSCALE_MIN": "9", "CELERIAC_WORKER_CONCURRENCY": "4"},
        {"CELERIAC_WORKER_MAX_TASKS_PER_CHILD": "9", "CELERIAC_WORKER_POOL": "threads"},
        {"CELERIAC_WORKER_MAX_MEMORY_PER_CHILD_KIB": "9", "CELERIAC_WORKER_POOL": "asyncio"},
        {"CELERIAC_WORKER_AUTOSCALE_MIN": "1", "CELERIAC_WORKER_POOL": "gevent"},
        {"CELERIAC_RESULT_COMPRESSION": "gzip", "CELERIAC_RESULT_BACKEND": "db+sqlite:///r.db"},
        {"CELERIAC_RESULT_PREFIX": "shop", "CELERIAC_RESULT_BACKEND": ""},
        {"CELERIAC_RESULT_PREFIX": "shop", "CELERIAC_RESULT_BACKEND": "db+sqlite:///r.db"},
        {"CELERIAC_RESULT_PERSISTENT": "true", "CELERIAC_RESULT_BACKEND": "redis://cache/1"},
    ],
    ids=lambda variables: "-".join(name.removeprefix("CELERIAC_").lower() for name in variables),
)
def test_settings_that_contradict_each_other_are_both_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as error:
        load()
    for name in variables:
        assert name in str(error.value)
    assert ":" in str(error.value), "it says what to change"
