"""The background work: download pictures that are due, post events that are due."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from . import content, pushes
from .world import MediaCheck, Push, World

LONGEST_NAP = 1.0

logger = logging.getLogger(__name__)


class Postman:
    """Runs beside the requests on the same loop; only the blocking HTTP happens on threads."""

    def __init__(self, world: Callable[[], World]) -> None:
        self._world = world
        self._woken = asyncio.Event()
        self._at_work: dict[str | int, asyncio.Task[None]] = {}

    def wake(self) -> None:
        """Something new may be due: a request was served, or the clock was moved."""
        self._woken.set()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        rounds = asyncio.create_task(self._rounds())
        try:
            yield
        finally:
            unfinished = [rounds, *self._at_work.values()]
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    async def _rounds(self) -> None:
        while True:
            self._woken.clear()
            world = self._world()
            waiting = _waiting(world)
            for job in waiting:
                if job.due_at <= world.now() and _name(job) not in self._at_work:
                    self._start(world, job)
            naps = [job.due_at - world.now() for job in waiting if _name(job) not in self._at_work]
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), max(0.001, min([LONGEST_NAP, *naps])))

    def _start(self, world: World, job: MediaCheck | Push) -> None:
        work = _check(world, job) if isinstance(job, MediaCheck) else _deliver(world, job)
        task = asyncio.create_task(work)
        self._at_work[_name(job)] = task

        def done(finished: asyncio.Task[None]) -> None:
            self._at_work.pop(_name(job), None)
            self.wake()
            if not finished.cancelled() and finished.exception() is not None:
                logger.error("background work failed", exc_info=finished.exception())

        task.add_done_callback(done)


def _waiting(world: World) -> list[MediaCheck | Push]:
    jobs: list[MediaCheck | Push] = []
    if not world.settings.media_withheld:
        jobs += world.media_checks
    if world.settings.callback_url is not None:
        jobs += [push for push in world.pushes if push.outcome == "waiting"]
    return jobs


def _name(job: MediaCheck | Push) -> str | int:
    return job.trace_id if isinstance(job, MediaCheck) else job.id


async def _check(world: World, check: MediaCheck) -> None:
    verdict = await asyncio.to_thread(content.examine, check)
    content.finish_media_check(world, check, verdict)


async def _deliver(world: World, push: Push) -> None:
    settings = world.settings
    answer = await asyncio.to_thread(
        pushes.deliver,
        settings.callback_url or "",
        push,
        form=settings.push_format,
        mode=settings.push_mode,
        timeout=settings.push_timeout_seconds,
        now=world.now(),
    )
    pushes.settle(world, push, answer)
