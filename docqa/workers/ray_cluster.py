"""All calls of Ray: connecting, workers, and the errors that mean a lost worker."""

from __future__ import annotations

import os
import pickle
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any

from docqa._version import __version__
from docqa.errors import ClusterError, MissingDependencyError

__all__ = ["Cluster", "RayWorker", "connected"]

_ENVIRONMENT = {"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}  # spares a warning of what Ray plans
# Where Ray is started here: no report to its makers; a token keeps other users of the machine out.
_ALONE = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token"}
_LOCAL = "local"
_SECONDS_TO_CONNECT = 10.0  # Ray itself tries for minutes


@contextmanager
def connected(
    address: str, work: Callable[[Any], Any], *, gpus: bool, cpus_per_worker: int
) -> Iterator[Cluster]:
    """Connect to a cluster, and part from it and its workers at the end.

    A connection that the process has already is used and kept.

    Raises:
        ClusterError: it cannot be reached.
        MissingDependencyError: Ray is not installed.
    """
    ray = _ray(address)
    own = not ray.is_initialized()
    if own:
        _connect(ray, address)
    cluster = Cluster(ray, work, gpus=gpus, cpus_per_worker=cpus_per_worker)
    try:
        yield cluster
    finally:
        cluster.kill_all()
        if own:
            ray.shutdown()


def _ray(address: str) -> ModuleType:
    """Import Ray; it reads its environment at that moment.

    Raises:
        MissingDependencyError: Ray is not installed.
    """
    if "ray" not in sys.modules:
        for name, value in (_ENVIRONMENT | (_ALONE if address == _LOCAL else {})).items():
            os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise MissingDependencyError(
            'a cluster needs Ray, which is not installed: pip install "docqa-exact[ray]"'
        ) from error
    return ray  # type: ignore[no-any-return]


def _connect(ray: Any, address: str) -> None:
    settings: dict[str, Any] = {"include_dashboard": False} if address == _LOCAL else {}
    try:
        _require_listener(address)
        ray.init(address=address, log_to_driver=False, configure_logging=False, **settings)
    except Exception as error:  # of many kinds, from gRPC's to plain ValueError
        reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
        raise ClusterError(
            f"no Ray cluster can be reached at {address!r}: {reason[0]}; start one with "
            "ray start --head, or name 'local' to start Ray on this machine"
        ) from error


def _require_listener(address: str) -> None:
    """Check that a server listens at an address with a port.

    Raises:
        OSError: none does.
    """
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), _SECONDS_TO_CONNECT).close()


class RayWorker:
    """A Ray actor with its copy of the work.

    Attributes:
        start: a reference that is ready when it can take items.
        calls: its items under way, in the order in which it does them.
    """

    def __init__(self, ray: Any, actor: Any, pickled: bytes) -> None:
        self._ray, self._actor = ray, actor
        self.is_ready = False
        self.start = actor.begin.remote(pickled)
        self.calls: list[Any] = []

    def check_start(self) -> bool:
        """Say whether the actor is there, now that `start` has ended; False where it is lost.

        Raises:
            ClusterError: its machine lacks docqa, or has another version of it.
        """
        try:
            version = self._ray.get(self.start)
        except self._ray.exceptions.RayTaskError as error:
            raise ClusterError(
                f"a machine of the cluster cannot do the work: {_first_line(error)}; install there "
                f"what is installed here: pip install docqa-exact=={__version__}"
            ) from error
        except self._ray.exceptions.RayError:
            return False
        if version != __version__:
            raise ClusterError(
                f"a machine of the cluster has docqa {version}, this one {__version__}, and their "
                f"results may differ; install one version: pip install docqa-exact=={__version__}"
            )
        self.is_ready = True
        return True

    def call(self, stored: Any) -> Any:
        """Let the actor work on a stored item; return the reference to wait for."""
        self.calls.append(self._actor.do.remote(stored))
        return self.calls[-1]

    def kill(self) -> None:
        """End the actor, where it still lives."""
        with suppress(Exception):  # it is gone, or the connection is
            self._ray.kill(self._actor)


def _first_line(error: Any) -> str:
    cause = getattr(error, "cause", None) or error
    return f"{type(cause).__name__}: {str(cause).strip().splitlines()[0] if str(cause) else ''}"


class Cluster:
    """A connection to a cluster: it starts workers, stores items and waits for results."""

    def __init__(
        self, ray: Any, work: Callable[[Any], Any], *, gpus: bool, cpus_per_worker: int
    ) -> None:
        from ray import cloudpickle

        self._ray, self._gpus, self._cpus = ray, gpus, cpus_per_worker
        self._pickled: bytes = cloudpickle.dumps(work)
        self._started: list[RayWorker] = []
        self._actor_class = ray.remote(_actor_class())

    def n_places(self) -> int:
        """Return how many workers the cluster has room for, were it idle."""
        resources = self._resources()
        if self._on_gpus(resources):
            return int(resources["GPU"])
        return int(resources.get("CPU", 0) // self._cpus)

    def describe(self) -> str:
        """Return the resources of the cluster, in words."""
        names = {"CPU": "processors", "GPU": "GPUs"}
        resources = self._resources()
        has = ", ".join(f"{resources.get(key, 0):g} {name}" for key, name in names.items())
        return f"the cluster has {has}, all taken or too few"

    def start_worker(self) -> RayWorker:
        """Start one more worker, as far from the others as there is room."""
        actor = self._actor_class.options(
            num_cpus=self._cpus,
            num_gpus=1 if self._on_gpus(self._resources()) else 0,
            max_restarts=0,
            max_task_retries=0,
            scheduling_strategy="SPREAD",
        ).remote()
        self._started.append(RayWorker(self._ray, actor, self._pickled))
        return self._started[-1]

    def store(self, item: Any) -> Any:
        """Put an item where every worker can fetch it, until no reference is left.

        This process owns it, so it outlives every other machine.
        """
        return self._ray.put(item)

    def wait(self, references: Sequence[Any], *, seconds: float) -> list[Any]:
        """Return the references that are ready, as soon as one is; none after `seconds`."""
        ready: list[Any] = self._ray.wait(list(references), num_returns=1, timeout=seconds)[0]
        return ready

    def result(self, call: Any) -> tuple[bool, Any]:
        """Return whether a call succeeded, and its result; it fails where its worker is lost.

        Raises:
            Exception: what the work raised.
        """
        exceptions = self._ray.exceptions
        try:
            return True, self._ray.get(call)
        except exceptions.RayTaskError as error:
            raise getattr(error, "cause", error) from None
        except exceptions.RayError:
            return False, None

    def kill_all(self) -> None:
        """End every worker that was started."""
        for worker in self._started:
            worker.kill()

    def _resources(self) -> dict[str, float]:
        found: dict[str, float] = self._ray.cluster_resources()
        return found

    def _on_gpus(self, resources: dict[str, float]) -> bool:
        return self._gpus and resources.get("GPU", 0) >= 1


def _actor_class() -> type:
    """Return the actors' class, made here so that Ray sends its code along.

    A machine without docqa can start one then, and say what is missing.
    """

    class DocqaWorker:
        def begin(self, pickled: bytes) -> str:
            from docqa._version import __version__

            self._work = pickle.loads(pickled)
            return __version__

        def do(self, item: Any) -> Any:
            return self._work(item)

    return DocqaWorker
