"""How many messages a channel holds, and what becomes of them when Celery acknowledges or rejects."""

from typing import TYPE_CHECKING, Any

from kombu.transport import redis as kombu_redis
from kombu.transport import virtual

from celeriac.outbox import Finish, Requeue
from celeriac.states import State

if TYPE_CHECKING:
    from celeriac.transport.channel import LeasedChannel


_QoS: Any = kombu_redis.QoS
_VirtualQoS: Any = virtual.QoS


class QoS(_QoS):
    """Counts deliveries against the prefetch count; a lease, not this, keeps them.

    Celeriac's own request tells the outcome of a run and then calls :meth:`settled`. Acknowledgements that come from
    elsewhere (a stock request, a message nobody can run) end the run here.
    """

    channel: "LeasedChannel"
    restore_at_shutdown = False

    def append(self, message: Any, delivery_tag: str) -> None:
        _VirtualQoS.append(self, message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        self._end(delivery_tag, State.SUCCEEDED)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        session, message = self.channel.session, self._delivered.get(delivery_tag)
        if not requeue:
            self._end(delivery_tag, State.FAILED)
            return
        if session is not None and delivery_tag in session.held and message is not None:
            session.tell(Requeue(delivery_tag, message.headers.get("id", ""), front=False))
        self.settled(delivery_tag)

    def _end(self, delivery_tag: str, state: State) -> None:
        session, message = self.channel.session, self._delivered.get(delivery_tag)
        if session is not None and delivery_tag in session.held and message is not None:
            session.tell(Finish(delivery_tag, message.headers.get("id", ""), state))
        self.settled(delivery_tag)

    def settled(self, delivery_tag: str) -> None:
        """Free the delivery's place. From any thread."""
        _VirtualQoS.ack(self, delivery_tag)
        self.channel.on_room()

    def restore_unacked(self, client: Any = None) -> None:
        """Give nothing back: a lease outlives its connection."""
        self._delivered.clear()

    def restore_visible(self, start: int = 0, num: int = 10, interval: int = 10) -> None:
        """Leave lost deliveries to the leader, which reclaims them."""

    def restore_by_tag(self, tag: str, client: Any = None, leftmost: bool = False) -> None:
        """Give nothing back by hand either."""
