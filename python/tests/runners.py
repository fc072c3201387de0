"""Runners for the tests: Prism, and a Flink cluster of one job manager and two task managers. All are
processes on loopback that end with the test.

What they are made of is installed by `cargo xtask python`, which names it in `BEAMLET_PRISM` (a program) and
`BEAMLET_FLINK` (a folder).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator



def _installed(name: str) -> Path:
    path = os.environ.get(name)
    if not path:
        raise AssertionError(f"{name} is not set: `cargo xtask python` installs what it names")
    return Path(path)


_OPENS = [
    f"--add-opens=java.base/{package}=ALL-UNNAMED"
    for package in (
        "java.lang",
        "java.net",
        "java.io",
        "java.nio",
        "sun.nio.ch",
        "java.lang.reflect",
        "java.text",
        "java.time",
        "java.util",
        "java.util.concurrent",
        "java.util.concurrent.atomic",
        "java.util.concurrent.locks",
    )
]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for_port(port: int, process: subprocess.Popen, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise AssertionError(f"{process.args} ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise AssertionError(f"{process.args} does not listen on {port}")


def end(process: subprocess.Popen) -> None:
    """Ends a process and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def start(arguments: list, log: Path, **options) -> subprocess.Popen:
    with log.open("wb") as output:
        return subprocess.Popen(
            [str(argument) for argument in arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **options,
        )


@contextlib.contextmanager
def prism(folder: Path) -> Iterator[list[str]]:
    """A Prism; gives the options that a pipeline runs on it with."""
    port = free_port()
    process = start([_installed("BEAMLET_PRISM"), f"--job_port={port}", "--serve_http=false"], folder / "prism.log")
    try:
        wait_for_port(port, process)
        yield [
            "--runner=PortableRunner",
            f"--job_endpoint=localhost:{port}",
            "--environment_type=LOOPBACK",
        ]
    finally:
        end(process)


@dataclass
class Flink:
    """A running cluster and its job server."""

    rest: int
    options: list[str]

    def get(self, path: str):
        """An answer of its REST API."""
        with urllib.request.urlopen(f"http://localhost:{self.rest}{path}", timeout=10) as answer:
            return json.load(answer)


_CONFIG = """\
jobmanager:
  bind-host: localhost
  rpc: {{address: localhost, port: {rpc}}}
  memory: {{process: {{size: 1200m}}}}
taskmanager:
  bind-host: localhost
  host: localhost
  numberOfTaskSlots: 2
  memory: {{process: {{size: 2200m}}, network: {{min: 400mb, max: 400mb}}}}
parallelism: {{default: 2}}
rest: {{address: localhost, bind-address: localhost, port: {rest}, bind-port: {rest}}}
blob: {{server: {{port: 0}}}}
classloader: {{resolve-order: parent-first}}
heartbeat: {{interval: 1000, timeout: 8000}}
io: {{tmp: {{dirs: {folder}/tmp}}}}
web: {{tmpdir: {folder}/web}}
"""


@contextlib.contextmanager
def flink(folder: Path) -> Iterator[Flink]:
    """A standalone cluster; gives its REST port and the options that a pipeline runs on it with."""
    java = shutil.which("java") or "java"
    installed = _installed("BEAMLET_FLINK")
    rest, rpc = free_port(), free_port()
    conf = folder / "conf"
    conf.mkdir()
    (folder / "tmp").mkdir()
    (folder / "web").mkdir()
    (conf / "config.yaml").write_text(_CONFIG.format(rest=rest, rpc=rpc, folder=folder))
    (conf / "log4j.properties").write_text(
        "rootLogger.level = WARN\nrootLogger.appenderRef.c.ref = C\n"
        "appender.c.name = C\nappender.c.type = CONSOLE\n"
        "appender.c.layout.type = PatternLayout\n"
    )
    classes = f"{installed}/lib/*"
    log4j = f"-Dlog4j.configurationFile=file:{conf}/log4j.properties"
    running: list[subprocess.Popen] = []
    try:
        manager = start(
            [
                java,
                "-Xmx600m",
                log4j,
                *_OPENS,
                "-cp",
                classes,
                "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint",
                "--configDir",
                conf,
                "--executionMode",
                "cluster",
            ],
            folder / "job-manager.log",
        )
        running.append(manager)
        wait_for_port(rest, manager)
        jvm, dynamic = _task_manager_memory(java, installed, conf)
        cluster = Flink(rest, [])
        for number in range(2):
            task_manager = start(
                [
                    java,
                    *jvm,
                    log4j,
                    *_OPENS,
                    "-cp",
                    classes,
                    "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
                    "--configDir",
                    conf,
                    *dynamic,
                ],
                folder / f"task-manager-{number}.log",
            )
            running.append(task_manager)
        _wait_for_slots(cluster, manager)
        job, artifacts, expansion = free_port(), free_port(), free_port()
        server = start(
            [
                java,
                "-Xmx800m",
                *_OPENS,
                "-cp",
                f"{installed}/job-server/*",
                "org.apache.beam.runners.flink.FlinkJobServerDriver",
                "--job-host",
                "localhost",
                "--job-port",
                job,
                "--artifact-port",
                artifacts,
                "--expansion-port",
                expansion,
                "--artifacts-dir",
                folder / "artifacts",
                "--flink-master",
                f"localhost:{rest}",
            ],
            folder / "job-server.log",
        )
        running.append(server)
        wait_for_port(job, server, 120)
        cluster.options = [
            "--runner=PortableRunner",
            f"--job_endpoint=localhost:{job}",
            "--environment_type=LOOPBACK",
            "--parallelism=2",
        ]
        yield cluster
    finally:
        for process in reversed(running):
            end(process)


def _task_manager_memory(java: str, installed: Path, conf: Path) -> tuple[list[str], list[str]]:
    """The JVM's options, and Flink's: a task manager wants its memory spelled out."""
    printed = subprocess.check_output(
        [
            java,
            "-cp",
            f"{installed}/bin/bash-java-utils.jar:{installed}/lib/*",
            "org.apache.flink.runtime.util.bash.BashJavaUtils",
            "GET_TM_RESOURCE_PARAMS",
            "--configDir",
            str(conf),
        ],
        text=True,
        stderr=subprocess.DEVNULL,
    )
    results = [
        line.split("BASH_JAVA_UTILS_EXEC_RESULT:", 1)[1].split()
        for line in printed.splitlines()
        if "BASH_JAVA_UTILS_EXEC_RESULT:" in line
    ]
    return results[0], results[1]


def _wait_for_slots(cluster: Flink, manager: subprocess.Popen) -> None:
    until = time.monotonic() + 90
    while time.monotonic() < until:
        assert manager.poll() is None, "the job manager has ended"
        with contextlib.suppress(OSError):
            if cluster.get("/overview")["slots-available"] == 4:
                return
        time.sleep(0.3)
    raise AssertionError("the task managers do not come up")
