"""SIGHUP: the worker stops in order and starts again in its place, with the code as it is by then."""

import json
import signal
from pathlib import Path

from celeriac.testing import Server, until

from .conftest import Send, StartWorker, result


def test_a_hangup_loads_changed_code_in_the_same_process(
    start_worker: StartWorker, send: Send, server: Server, tmp_path: Path
) -> None:
    worker = start_worker(server).wait_consuming()
    code = tmp_path / "worker-0" / "errands.py"
    code.write_text(code.read_text().replace("return x + y", "return x * y"))

    worker.process.send_signal(signal.SIGHUP)
    until(lambda: worker.log.count("serving health and metrics") == 2, 60)
    id = send("add", 3, 5)
    until(lambda: result(server, id), 60)
    assert json.loads(result(server, id))["result"] == 15
    assert worker.process.poll() is None
    assert worker.end() == 0
