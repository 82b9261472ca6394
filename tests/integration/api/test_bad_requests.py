"""Must show: bad requests of every kind get a 4xx problem+json that names what is wrong, and never a 5xx."""

import json
import socket
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import pytest
import redis

from celeriac import keys
from celeriac.testing import Server

StartApi = Callable[..., Any]

JSON = {"Content-Type": "application/json"}
GOOD = {"name": "shop.report", "args": [2026]}


class Bad(NamedTuple):
    """A request, and what its answer must be."""

    label: str
    status: int
    says: str
    path: str | None = None
    body: Any = None
    raw: bytes | None = None
    headers: dict[str, str] = JSON
    method: str = "POST"
    url: str = "/v1/tasks"


def field(label: str, path: str, says: str, status: int = 422, **changes: Any) -> Bad:
    return Bad(label, status, says, path, body={**GOOD, **changes})


def raw(label: str, status: int, says: str, text: bytes, path: str | None = None, **headers: str) -> Bad:
    return Bad(label, status, says, path, raw=text, headers=headers or JSON)


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


FIELDS = [
    Bad("no name", 422, "Field required", "/name", body={"args": [1]}),
    field("name no text", "/name", "valid string", name=5),
    field("name null", "/name", "valid string", name=None),
    field("name empty", "/name", "at least 1 character", name=""),
    field("name long", "/name", "at most 255", name="x" * 256),
    field("unknown field", "/foo", "Extra inputs", foo=1),
    field("option not on the list", "/serializer", "Extra inputs", serializer="pickle"),
    field("celery's own link", "/link", "Extra inputs", link=[]),
    field("args an object", "/args", "valid list", args={"a": 1}),
    field("args text", "/args", "valid list", args="abc"),
    field("kwargs a list", "/kwargs", "valid dictionary", kwargs=[1]),
    field("queue unknown", "/queue", "the queues are default, io", queue="defualt"),
    field("queue no text", "/queue", "valid string", queue=3),
    field("queue with NUL", "/queue", "is no queue", queue="default\0"),
    field("priority above", "/priority", "less than or equal to 9", priority=10),
    field("priority below", "/priority", "greater than or equal to 0", priority=-1),
    field("priority text", "/priority", "valid integer", priority="3"),
    field("priority fraction", "/priority", "valid integer", priority=1.5),
    field("priority bool", "/priority", "valid integer", priority=True),
    field("priority huge", "/priority", "less than or equal to 9", priority=10**100),
    field("countdown negative", "/countdown", "greater than or equal to 0", countdown=-1),
    field("countdown far", "/countdown", "less than or equal", countdown=1e12),
    field("countdown text", "/countdown", "valid number", countdown="5"),
    field("eta and countdown", "/countdown", "not both", countdown=1, eta="2030-01-01T00:00:00Z"),
    field("eta without offset", "/eta", "with its offset", eta="2026-01-01T00:00:00"),
    field("eta a number", "/eta", "with its offset", eta=1700000000),
    field("eta impossible", "/eta", "there is no such time", eta="2026-02-30T00:00:00Z"),
    field("eta far", "/eta", "ten years", eta="9999-12-31T23:59:59Z"),
    field("expires zero", "/expires", "greater than 0", expires=0),
    field("expires passed", "/expires", "has passed", expires="2020-01-01T00:00:00Z"),
    field("expires before due", "/expires", "before the run is due", expires=5, countdown=60),
    field("expires bool", "/expires", "seconds from now", expires=True),
    field("id with a slash", "/id", "pattern", id="a/b"),
    field("id empty", "/id", "pattern", id=""),
    field("id long", "/id", "pattern", id="x" * 129),
    Bad("id and key", 422, "not both", "/Idempotency-Key", {**GOOD, "id": "a"}, headers={"Idempotency-Key": "k"}),
    Bad("key long", 422, "at most 255", "/Idempotency-Key", GOOD, headers={"Idempotency-Key": "k" * 256}),
]
ARGUMENTS = [
    field("unknown task", "/name", "Did you mean shop.report", status=404, name="shop.reprot"),
    field("task with NUL", "/name", "No worker offers", status=404, name="shop\0report"),
    field("celery's own task", "/name", "No worker offers", status=404, name="celery.backend_cleanup"),
    field("argument missing", "/kwargs/year", "'year' is required", args=[]),
    field("argument of another type", "/args/0", 'is not of type \\"integer', args=["2026"]),
    field("named of another type", "/kwargs/country", 'is not of type \\"string', kwargs={"country": 5}),
    field("argument not taken", "/kwargs/yaer", "is not a parameter", kwargs={"yaer": 1}),
    field("argument given twice", "/kwargs/year", "also given by position", kwargs={"year": 1}),
    field("one argument too many", "/args/2", "takes 2 positional", args=[1, "DE", 3]),
    field("time that is none", "/args/0", "date-time", name="shop.plan", args=["tomorrow"]),
    field("type envelope", "/args/0", "__type__", args=[{"__type__": "uuid", "__value__": "x"}]),
    field("envelope within", "/kwargs/a/0", "__type__", kwargs={"a": [{"__type__": 1, "__value__": 2}]}),
    field("nested deep", "/args" + "/0" * 31, "deeper than 32", name="shop.anything", args=nested(40)),
]
ENCODINGS = [
    raw("empty", 400, "empty", b""),
    raw("not JSON", 400, "line 1 column 2", b"{name: 1}"),
    raw("cut off", 400, "not JSON", b'{"name": "shop.rep'),
    raw("a list", 422, "valid dictionary", b"[1]"),
    raw("a number", 422, "valid dictionary", b"5"),
    raw("null", 422, "valid dictionary", b"null"),
    raw("two values", 400, "Extra data", b"{} {}"),
    raw("UTF-16", 400, "not UTF-8", json.dumps(GOOD).encode("utf-16")),
    raw("Latin-1", 400, "not UTF-8", '{"name": "Grüße"}'.encode("latin-1")),
    raw("byte order mark", 400, "not JSON", b"\xef\xbb\xbf{}"),
    raw("NUL byte", 400, "not JSON", b'{"name": "a\0b"}'),
    raw("lone surrogate", 422, "surrogate", b'{"name": "a", "args": ["\\ud800"]}', "/args/0"),
    raw("lone surrogate as a key", 422, "surrogate", b'{"name": "a", "kwargs": {"\\udfff": 1}}', "/kwargs"),
    raw("NaN", 400, "NaN", b'{"name": "a", "args": [NaN]}'),
    raw("Infinity", 400, "Infinity", b'{"name": "a", "args": [-Infinity]}'),
    raw("1e400", 400, "1e400", b'{"name": "a", "args": [1e400]}'),
    raw("huge integer", 400, "cannot be read", b'{"name": "a", "args": [' + b"9" * 5000 + b"]}"),
    raw("key twice", 400, "'name' appears twice", b'{"name": "a", "name": "b"}'),
    raw("very deep", 422, "deeper than 32", b'{"name": "a", "args": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    raw("very deep objects", 422, "deeper than 32", b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    raw("over the limit", 413, "over 1048576 bytes", b'{"name": "' + b"x" * 1_100_000 + b'"}'),
    raw("no media type", 415, "application/json", b"{}", Accept="*/*"),
    raw(
        "a form",
        415,
        "application/json",
        b"name=shop.report",
        **{"Content-Type": "application/x-www-form-urlencoded"},
    ),
    raw("text", 415, "application/json", b"{}", **{"Content-Type": "text/plain"}),
    raw("another charset", 415, "UTF-8", b"{}", **{"Content-Type": "application/json; charset=utf-16"}),
    raw("compressed", 415, "Content-Encoding", b"\x1f\x8b", **{**JSON, "Content-Encoding": "gzip"}),
]
PLACES = [
    Bad("PUT", 405, "use POST", method="PUT"),
    Bad("DELETE", 405, "use POST", method="DELETE"),
    Bad("GET of the collection", 405, "use POST", method="GET"),
    Bad("a method of WebDAV", 405, "use POST", method="PROPFIND"),
    Bad("a made-up method", 400, "Invalid HTTP", method="BREW"),
    Bad("POST to the catalogue", 405, "use GET", url="/v1/catalog"),
    Bad("PATCH of a run", 405, "use GET", method="PATCH", url="/v1/tasks/x"),
    Bad("no such path", 404, "nothing at '/v1/taskz'", method="GET", url="/v1/taskz"),
    Bad("trailing slash", 404, "nothing at", method="GET", url="/v1/catalog/"),
    Bad("a path upwards", 404, "nothing at", method="GET", url="/v1/tasks/%2e%2e%2f%2e%2e%2fetc"),
    Bad("unknown run", 404, "There is no run 'nobody'", method="GET", url="/v1/tasks/nobody"),
    Bad("unknown run's file", 404, "There is no run 'nobody'", method="GET", url="/v1/tasks/nobody/artifacts/a.png"),
    Bad("unknown entry", 404, "Did you mean shop.report", "/name", method="GET", url="/v1/catalog/report"),
    Bad("wait negative", 422, "greater than or equal to 0", "/wait", method="GET", url="/v1/tasks/x?wait=-1"),
    Bad("wait text", 422, "valid number", "/wait", method="GET", url="/v1/tasks/x?wait=long"),
    Bad("wait NaN", 422, "finite number", "/wait", method="GET", url="/v1/tasks/x?wait=nan"),
    Bad("wait too long", 422, "at most 60 seconds", "/wait", method="GET", url="/v1/tasks/x?wait=61"),
    Bad("unknown parameter", 422, "Extra inputs", "/wiat", method="GET", url="/v1/tasks/x?wiat=1"),
]


@pytest.mark.parametrize("bad", [*FIELDS, *ARGUMENTS, *ENCODINGS, *PLACES], ids=lambda bad: bad.label)
def test_a_bad_request_is_named(http: httpx.Client, client: redis.Redis, bad: Bad) -> None:
    body = bad.raw if bad.raw is not None else json.dumps(bad.body).encode() if bad.body is not None else None
    answer = http.request(
        bad.method, bad.url, content=body, headers={**JSON, **bad.headers} if bad.raw is None else bad.headers
    )
    assert answer.status_code == bad.status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {"type", "title", "status", "detail", "code", "request_id"} <= problem.keys()
    assert problem["status"] == bad.status
    assert bad.says in json.dumps(problem, ensure_ascii=False)
    if bad.path is not None:
        assert bad.path in [error["path"] for error in problem["errors"]]
    assert client.exists(keys.TASKS) == 0, "nothing may be stored"


def test_a_body_that_grows_past_the_limit_is_refused_on_the_way(http: httpx.Client) -> None:
    sent = 0

    def endless() -> Any:
        nonlocal sent
        yield b'{"name": "shop.anything", "args": ["'
        for _ in range(64):
            sent += 65_536
            yield b"x" * 65_536

    answer = http.post("/v1/tasks", content=endless(), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert http.get("/healthz").status_code == 200


def test_a_body_that_stops_coming_in_is_not_waited_for(server: Server, start_api: StartApi) -> None:
    api = start_api(server.url, api_body_timeout_seconds="0.5")
    head = "POST /v1/tasks HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    address = ("127.0.0.1", int(api.url.rsplit(":", 1)[1]))
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(head.encode() + b'{"name"')
        answer = connection.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"application/problem+json" in answer


def test_an_error_repeats_little_of_what_was_sent(http: httpx.Client) -> None:
    for body in (
        {**GOOD, "args": ["x" * 500_000]},
        {**GOOD, "name": "x" * 255},
        {**GOOD, "x" * 500_000: 1},
        {**GOOD, "kwargs": {"x" * 500_000: 1}},
        {**GOOD, "queue": "x" * 500_000},
        {**GOOD, "id": "x" * 500_000},
    ):
        answer = http.post("/v1/tasks", json=body)
        assert 400 <= answer.status_code < 500
        assert len(answer.content) < 5_000, answer.text[:1000]


def test_many_faults_are_cut_off(http: httpx.Client) -> None:
    many = {f"x{i}": 1 for i in range(4_000)}
    for body in ({**GOOD, "kwargs": many}, {**GOOD, **many}):
        answer = http.post("/v1/tasks", json=body)
        assert answer.status_code == 422
        assert len(answer.json()["errors"]) == 20
