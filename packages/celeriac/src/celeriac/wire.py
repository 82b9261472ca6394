"""One connection that sends rows of scripts, reads all answers, and can be watched for changes of keys.

It speaks RESP3 with ``CLIENT TRACKING ON NOLOOP``: keys that the last row asked ``EXISTS`` of are remembered by the
server, which pushes one message when any of them changes. Answers that arrive with a push before them lose the push,
so a caller who relies on it ends every row with ``EXISTS``.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any

import redis
import structlog

from celeriac import scripts
from celeriac.scripts import Argument

log = structlog.get_logger(__name__)

Command = Sequence[Argument]


class ScriptCall:
    """A script with its keys and arguments, to be sent by hash."""

    __slots__ = ("arguments", "keys", "name")

    def __init__(self, name: str, keys: Sequence[str], arguments: Sequence[Argument]) -> None:
        self.name = name
        self.keys = keys
        self.arguments = arguments

    def command(self, *, text: bool = False) -> Command:
        """Return the command, carrying the script's hash or its whole *text*."""
        code = scripts.script(self.name)
        head = ("EVAL", code.text) if text else ("EVALSHA", code.sha)
        return (*head, len(self.keys), *self.keys, *self.arguments)


class _Watched:
    """Makes a connection's socket visible, and tells when it is closed. Mixed into the pool's connection class."""

    _sock: Any
    pid: int
    on_disconnect: Callable[[], None] | None = None

    def fileno(self) -> int:
        """Return the file descriptor; -1 when not connected."""
        return self._sock.fileno() if self._sock is not None else -1

    def disconnect(self, *args: Any, **kwargs: Any) -> None:
        # A forked child shares the parent's poller, and must leave what is registered there.
        if self.on_disconnect is not None and self._sock is not None and self.pid == os.getpid():
            self.on_disconnect()
        super().disconnect(*args, **kwargs)  # type: ignore[misc]  # the connection class this is mixed into has it


class Wire:
    """A connection of its own, made as *client*'s pool makes them; *client* must be kept alive by the caller.

    *on_disconnect* is called just before the socket closes, while its file descriptor is still the wire's.
    """

    def __init__(self, client: redis.Redis, on_disconnect: Callable[[], None] | None = None) -> None:
        pool = client.connection_pool
        options = {**pool.connection_kwargs, "protocol": 3}
        options.pop("connection_class", None)
        made = type("WatchedConnection", (_Watched, pool.connection_class), {})
        self._connection = made(**options)
        self._connection.on_disconnect = on_disconnect
        self._connection.register_connect_callback(self._on_connect)
        self.tracks = False
        """Whether the server pushes changes."""

    def _on_connect(self, connection: Any) -> None:
        connection.send_command("CLIENT", "TRACKING", "ON", "NOLOOP", check_health=False)
        try:
            connection.read_response(disconnect_on_error=True)
            self.tracks = True
        except redis.ResponseError as error:
            self.tracks = False
            log.warning("the server refuses CLIENT TRACKING: idle workers ask at intervals instead", error=str(error))

    @property
    def connected(self) -> bool:
        """Whether there is a socket."""
        return bool(self._connection.fileno() >= 0)

    def fileno(self) -> int:
        """Return the file descriptor; -1 when not connected."""
        return int(self._connection.fileno())

    def connect(self) -> None:
        """Open the connection if there is none; through Sentinel, to the master of now."""
        if not self.connected:
            self._connection.connect()

    def close(self) -> None:
        """Close the connection."""
        self._connection.disconnect()

    def send(self, calls: Sequence[ScriptCall | Command]) -> list[Any]:
        """Send *calls* at once and return their answers; an error of one stands in its place.

        Scripts the server does not know are sent again with their text, and plain commands after them once more:
        an ``EXISTS`` must see what the scripts before it wrote, since the server does not push one's own changes.

        Raises:
            redis.RedisError: the connection failed; which of the calls were carried out is not known.
        """
        answers = self._exchange([call.command() if isinstance(call, ScriptCall) else call for call in calls])
        late = False
        for index, call in enumerate(calls):
            if isinstance(call, ScriptCall):
                if isinstance(answers[index], redis.exceptions.NoScriptError):
                    (answers[index],) = self._exchange([call.command(text=True)])
                    late = True
            elif late:
                (answers[index],) = self._exchange([call])
        return answers

    def _exchange(self, commands: Sequence[Command]) -> list[Any]:
        self.connect()
        connection = self._connection
        connection.send_packed_command(connection.pack_commands(commands), check_health=False)
        answers: list[Any] = []
        for _ in commands:
            try:
                answers.append(connection.read_response(disconnect_on_error=True))
            except redis.ResponseError as error:
                answers.append(error)
        return answers

    def drain(self) -> bool:
        """Read what the server has pushed, and tell whether there was anything.

        Raises:
            redis.RedisError: the connection was closed.
        """
        pushed = False
        while self._connection.can_read(0):
            self._connection.read_response(disconnect_on_error=True, push_request=True)
            pushed = True
        return pushed
