"""The models that are loaded: each on its first use, and unloaded when others need the room.

Where weights come from is the business of a `Source`; sessions and pictures are unknown here.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog
from anyio import fail_after, to_thread

from app.engine.contract import Engine
from app.errors import EngineFailedError, HoverError
from app.service.model_loading import Loading, LoadingStoppedError, Tell

if TYPE_CHECKING:
    from app.weights.download import OnBytes

log = structlog.get_logger(__name__)


class Source(Protocol):
    """Where models come from."""

    def nbytes(self, name: str) -> int:
        """Return about how many bytes of memory a model takes.

        Raises:
            UnknownModelError: there is none of this name.
        """
        ...

    def prepare(self, name: str, progress: OnBytes) -> Callable[[], Engine]:
        """Return how to load a model, once its weights are here and checked. Blocking; called in a thread.

        Raises:
            ModelUnavailableError: the weights aren't here and can't be fetched, or aren't the right ones.
        """
        ...


@dataclass
class Loaded:
    """A model in memory, and how many are using it now."""

    engine: Engine
    nbytes: int
    users: int = 0


class ModelPool:
    """Loaded models by name. Lives in the event loop's thread; loading happens outside of it.

    It isn't of `cachetools`, since a model in use stays, and room for one is made before it is there.

    Decision: room is made just before a model is loaded, and only then. Context: a budget that is smaller than two
    models in turn would otherwise load them for every pointer move. Choice: the least recently used of those that
    nobody uses at that moment go, and the first model, with which new sessions begin, never. Price: models in use
    together may exceed the budget.

    Attributes:
        first: the model that the server was started with.
        on_unload: told the name of each model that is unloaded.
    """

    def __init__(self, first: Engine, source: Source, budget_bytes: int, load_timeout_s: float) -> None:
        """Begin with one model.

        Args:
            first: that model, loaded.
            source: where others come from.
            budget_bytes: what all may take together.
            load_timeout_s: how long one may load.
        """
        self.first = first
        self.on_unload: Callable[[str], object] = lambda _: None
        self._source, self._budget_bytes, self._load_timeout_s = source, budget_bytes, load_timeout_s
        kept = Loaded(first, source.nbytes(first.model), users=1)
        self._loaded = OrderedDict({first.model: kept})  # least recently used first
        self._loading: dict[str, Loading] = {}
        self._one_at_a_time = asyncio.Lock()
        self._closed = False

    @property
    def names(self) -> list[str]:
        """Names of the loaded models, the least recently used first."""
        return list(self._loaded)

    @property
    def engines(self) -> list[Engine]:
        """The loaded models, the least recently used first."""
        return [loaded.engine for loaded in self._loaded.values()]

    def is_loaded(self, name: str) -> bool:
        """Return whether a model is in memory.

        Raises:
            UnknownModelError: there is none of this name.
        """
        self._source.nbytes(name)
        return name in self._loaded

    @asynccontextmanager
    async def use(self, name: str, tell: Tell = lambda _: None) -> AsyncIterator[Engine]:
        """Give a model, loaded now if need be and kept at least until the `with` ends.

        Args:
            name: the model.
            tell: hears of a download.

        Raises:
            UnknownModelError: there is none of this name.
            ModelUnavailableError: its weights aren't here and can't be fetched, or aren't the right ones.
            EngineFailedError: the device has no room for it.
        """
        loaded = await self._get(name, tell)
        loaded.users += 1
        try:
            yield loaded.engine
        finally:
            loaded.users -= 1

    def close(self) -> None:
        """Stop downloads and let go of all models; no other is loaded after it."""
        self._closed = True
        for loading in self._loading.values():
            loading.stop()
        for loaded in self._loaded.values():
            loaded.engine.close()

    async def _get(self, name: str, tell: Tell) -> Loaded:
        while (loaded := self._loaded.get(name)) is None:
            if self._closed:
                raise EngineFailedError("the server is shutting down; connect again")
            loading = self._loading.get(name)
            if loading is None or loading.task.done():
                loading = self._begin(name)
            with contextlib.suppress(LoadingStoppedError):
                await loading.wait(tell)
        self._loaded.move_to_end(name)
        return loaded

    def _begin(self, name: str) -> Loading:
        nbytes = self._source.nbytes(name)
        loading = Loading(lambda progress: self._load(name, nbytes, progress))
        self._loading[name] = loading
        loading.task.add_done_callback(lambda _: self._settled(name, loading))
        return loading

    def _settled(self, name: str, loading: Loading) -> None:
        if self._loading.get(name) is loading:
            del self._loading[name]

    async def _load(self, name: str, nbytes: int, progress: OnBytes) -> None:
        try:
            load = await to_thread.run_sync(self._source.prepare, name, progress, abandon_on_cancel=True)
            async with self._one_at_a_time:
                self._make_room(nbytes)
                with fail_after(self._load_timeout_s):  # a load that hangs is left alone in its thread
                    engine = await to_thread.run_sync(load, abandon_on_cancel=True)
        except (HoverError, LoadingStoppedError):
            raise
        except TimeoutError as error:
            raise EngineFailedError(f"{name} wasn't loaded within {self._load_timeout_s:g} s; try again") from error
        except Exception as error:
            raise EngineFailedError(f"{name} could not be loaded ({type(error).__name__}); try again") from error
        self._loaded[name] = Loaded(engine, nbytes)
        log.info("model_loaded", model=name)

    def _make_room(self, nbytes: int) -> None:
        """Unload what nobody uses, the least recently used first, until another model fits or nothing is left."""
        idle = [name for name, loaded in self._loaded.items() if not loaded.users]
        while idle and sum(loaded.nbytes for loaded in self._loaded.values()) + nbytes > self._budget_bytes:
            name = idle.pop(0)
            self._loaded.pop(name).engine.close()
            self.on_unload(name)
            log.info("model_unloaded", model=name)
