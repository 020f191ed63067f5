from __future__ import annotations

from app.service.backend import WorkerState
from app.web.metrics import worker_figures


def test_each_worker_has_its_figures() -> None:
    workers = [
        WorkerState(
            "worker-0", True, {"tiny": "OpenVINO"}, 7, 2, 40, 0, decode_ms=12.0, embedding_bytes=3000, cpu_s=4.5
        ),
        WorkerState("worker-1", False, {}, 0, 0, 9, 3, decode_ms=0.0, embedding_bytes=0, cpu_s=0.0),
    ]
    told = {
        (sample.name.removeprefix("hoversam_worker_"), sample.labels["worker"]): sample.value
        for family in worker_figures(workers)
        for sample in family.samples
    }
    assert [told["up", worker.name] for worker in workers] == [1, 0]
    assert [told["queue_depth", worker.name] for worker in workers] == [2, 0]
    assert [told["calls_total", worker.name] for worker in workers] == [40, 9]
    assert [told["failures_total", worker.name] for worker in workers] == [0, 3]
    assert told["decode_seconds", "worker-0"] == 0.012
    assert told["cpu_seconds_total", "worker-0"] == 4.5
    assert told["embedding_bytes", "worker-0"] == 3000


def test_a_server_that_runs_its_models_itself_has_none() -> None:
    assert list(worker_figures([])) == []
