"""Threads beside a pool that forks at any moment.

A child forked while another thread holds a lock waits for that lock for ever, for the thread that would release it
does not exist in the child. So the threads of a main process do what takes locks (opening connections, collecting
metrics) while they hold :data:`undisturbed`, and a fork waits until nobody does.
"""

import os
import threading
from typing import Final

undisturbed: Final = threading.Lock()
"""Held by a thread while no fork may happen. Hold it briefly: the fork, and with it the main loop, waits."""

os.register_at_fork(
    before=undisturbed.acquire, after_in_parent=undisturbed.release, after_in_child=undisturbed.release
)
