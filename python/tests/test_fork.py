"""A fork never hangs: a child of a process that used an enricher makes an engine of its own."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time

import beamlet
import pytest

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]


def forked(work) -> int:
    """Runs something in a fork; its exit status, or an error where it hangs."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(status)
    until = time.monotonic() + 30
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, 9)
    os.waitpid(child, 0)
    raise AssertionError("the child hangs")


def test_a_child_enriches_and_so_does_its_parent_afterwards(store):
    enricher = beamlet.Enricher(store.config())
    assert enricher.enrich([{"tailnum": "N10156"}]).counts["enriched"] == 1

    def work():
        assert enricher.counters == {}, "nothing was counted in this process"
        assert enricher.enrich([{"tailnum": "N102UW"}]).counts["enriched"] == 1
        enricher.close()

    assert forked(work) == 0
    assert enricher.enrich([{"tailnum": "N102UW"}]).counts["enriched"] == 1


def test_a_child_enriches_that_was_forked_with_work_in_flight(slow_store):
    enricher = beamlet.Enricher(slow_store.config())
    ended = []

    def busy():
        while not ended:
            assert enricher.enrich([{"tailnum": "N10156"}]).counts["enriched"] == 1

    threads = [threading.Thread(target=busy) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(0.2)
        for _ in range(3):
            assert forked(lambda: enricher.enrich([{"tailnum": "N102UW"}])) == 0
    finally:
        ended.append(True)
        for thread in threads:
            thread.join(30)


def test_a_child_enriches_that_was_forked_while_an_engine_was_being_set_up(store):
    config = store.config()
    enrichers = [beamlet.Enricher(config)]
    ended = []

    def set_up():
        while not ended:
            enrichers.append(beamlet.Enricher(config))

    thread = threading.Thread(target=set_up)
    thread.start()
    try:
        for _ in range(5):
            assert forked(lambda: enrichers[0].enrich([{"tailnum": "N102UW"}])) == 0
    finally:
        ended.append(True)
        thread.join(30)


def test_a_childs_end_leaves_the_parents_rows_alone(slow_store):
    enricher = beamlet.Enricher(slow_store.config())
    pending = enricher._start([("tailnum", ["N10156"])], 1)

    def work():
        with pytest.raises(beamlet.EnrichError, match="another process"):
            pending.wait()

    assert forked(work) == 0
    assert pending.wait().counts["enriched"] == 1


def enrich_in_pool(config):
    enriched = SHARED.enrich([{"tailnum": config}])
    return enriched.counts["enriched"]


SHARED: beamlet.Enricher


def test_a_pool_of_forked_processes_enriches(store):
    global SHARED
    SHARED = beamlet.Enricher(store.config())
    SHARED.enrich([{"tailnum": "N10156"}])
    with multiprocessing.get_context("fork").Pool(3) as pool:
        assert pool.map_async(enrich_in_pool, ["N10156", "N0"] * 6).get(30) == [1, 0] * 6


def test_a_grandchild_enriches(store):
    enricher = beamlet.Enricher(store.config())

    def child():
        enricher.enrich([{"tailnum": "N10156"}])
        assert forked(lambda: enricher.enrich([{"tailnum": "N102UW"}])) == 0

    assert forked(child) == 0


def test_importing_starts_no_thread():
    import subprocess
    import sys

    code = "import beamlet, os; print(len(os.listdir('/proc/self/task')))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "1"
