"""What a task knows of itself."""

import time

from tests.integration.conformance.conftest import RECYCLED, Subject, finished

from celeriac.testing import until


def test_bind(subject: Subject) -> None:
    """`self.request`, `current_task`"""
    result = subject.send("bound", 5)
    assert finished(result) == {
        "id": result.id,
        "current": result.id,
        "name": f"bound.{subject.kind}",
        "args": [5],
    }


def test_context_ids(subject: Subject) -> None:
    """`parent_id` and `root_id` of what a task submits"""
    first = subject.send("parent", subject.pool)
    child = subject.app.AsyncResult(finished(first))
    assert finished(child) == [first.id, first.id]


def test_context_variables(subject: Subject) -> None:
    """Context variables do not leak from run to run"""
    results = [subject.send("leaking", str(number)) for number in range(20)]
    assert {finished(result) for result in results} == {None}


def test_update_state(subject: Subject) -> None:
    """`self.update_state()`, seen while it runs"""
    key = f"update:{subject.pool}:{subject.kind}:{time.time()}"
    result = subject.send("updating", key)
    until(lambda: subject.notes(key))
    assert (result.state, result.info) == ("PROGRESS", {"done": 1})
    subject.client.set(f"test:{key}:seen", 1)
    assert finished(result) == "seen"


def test_max_tasks_per_child(subject: Subject) -> None:
    """`max_tasks_per_child` (2 here)"""
    if subject.difference:
        process = subject.workers.launch(subject.pool, RECYCLED, worker_max_tasks_per_child="2")
        assert process.process.wait(30) == 2
        assert "CELERIAC_WORKER_MAX_TASKS_PER_CHILD works in the prefork pool only" in process.log
        return
    subject.workers.start(subject.pool, RECYCLED, worker_max_tasks_per_child="2", worker_concurrency="1")
    task = subject.signature("process_id").set(queue=RECYCLED)
    processes = [finished(task.apply_async()) for _ in range(6)]
    counts = [processes.count(process) for process in dict.fromkeys(processes)]
    assert max(counts) == 2
    assert len(counts) >= 3
