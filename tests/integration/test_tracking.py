"""Clips in a session: frames, objects that are followed, and what undo, a lost server and bad input make of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import msgspec
import pytest

from app.engine.openvino.runtime import detect
from app.errors import EngineFailedError
from app.protocol import messages as m
from app.realtime.tracks import TrackWorker
from app.settings import Settings
from tests.helpers.clip_files import zipped, zipped_frames
from tests.helpers.clip_screen import ClipScreen, uploaded_clip
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.graph_factory import compiled_nano
from tests.helpers.image_files import png
from tests.helpers.moving_scene import moving_scene
from tests.helpers.peer import dialled, dialled_at, greeted, happened, until, uploaded
from tests.helpers.server import Server, started

pytestmark = pytest.mark.anyio

COUNT = 30
CLIP = zipped(COUNT, size_wh=(160, 120))
BEGUN, CORRECTED = 10, 20


class Turnstile(threading.Event):
    """A gate that lets as many through as it is told to; all of them once it is set."""

    def __init__(self) -> None:
        super().__init__()
        self.tickets = threading.Semaphore(0)

    def let(self, count: int) -> None:
        self.tickets.release(count)

    def set(self) -> None:
        super().set()
        self.tickets.release(10**6)

    def wait(self, timeout: float | None = None) -> bool:
        return self.tickets.acquire(timeout=timeout)


@pytest.fixture
def gate(engine: FakeEngine) -> Turnstile:
    """Where tracking waits, a frame and object at a time."""
    engine.track_gate = gate = Turnstile()
    return gate


@pytest.fixture
def settings() -> Settings:
    return Settings(offline=True)


@pytest.fixture
async def clip_id(server: Server) -> str:
    return await uploaded_clip(server.url, CLIP)


@pytest.fixture
async def screen(server: Server, clip_id: str) -> AsyncIterator[ClipScreen]:
    """A client that shows frame 10."""
    async with greeted(server) as peer:
        screen = ClipScreen(peer)
        await screen.open(clip_id, BEGUN)
        yield screen


async def test_an_object_is_followed_both_ways_corrected_and_followed_again(
    server: Server, clip_id: str, screen: ClipScreen
) -> None:
    assert screen.clip is not None
    assert (screen.clip.width, screen.clip.height, len(screen.clip.times)) == (160, 120, COUNT)
    await screen.click(30, 40)
    told = await screen.track()
    assert (told.done, told.frames) == (COUNT - 1, COUNT - 1)
    assert {frame for _, frame in screen.masks} == set(range(COUNT))
    first = dict(screen.masks)
    # What is seen there is what a click goes on from.
    await screen.show(CORRECTED)
    assert screen.objects[1].masks == (first[1, CORRECTED],)
    await screen.click(90, 60, object=1)
    corrected = screen.masks[1, CORRECTED]
    assert corrected.area > first[1, CORRECTED].area
    await screen.track(direction="forward")
    second = dict(screen.masks)
    assert second[1, CORRECTED] == corrected
    assert {frame for frame in range(COUNT) if second[1, frame] != first[1, frame]} == set(range(CORRECTED, COUNT))
    # Undo and redo go over all of it, whatever frame is shown.
    await screen.show(0)
    await screen.undo()
    await screen.undo()
    await screen.settled()
    assert screen.masks == first
    await screen.redo()
    await screen.redo()
    await screen.settled()
    assert screen.masks == second
    # A server that knows nothing makes all of it again.
    async with greeted(server) as peer:
        again = ClipScreen(peer)
        await again.followed(await again.open(clip_id, 3, screen.recipe()))
        await again.settled()
        assert again.masks == second
        assert again.recipe() == screen.recipe()


async def test_stop_lets_nothing_more_come_but_what_is_at_hand_and_keeps_what_is_there(
    screen: ClipScreen, engine: FakeEngine, gate: Turnstile
) -> None:
    await screen.click(30, 40)
    await screen.click(120, 90)
    asked = await screen.ask(m.Track(seq=next(screen.seqs), direction="forward"))
    gate.let(5)
    await screen.until(m.TrackProgress, lambda told: told.done == 5)
    await until(lambda: len(engine.tracked) == 6)  # which waits at the gate
    stopped = next(screen.seqs)
    await screen.peer.send(m.Stop(seq=stopped))
    last = await screen.followed(asked)
    assert (last.done, last.frames) == (5, 2 * (COUNT - 1 - BEGUN))
    await screen.until(m.Object, lambda told: told.seq == stopped and told.last)
    assert screen.tracks(1) == [(BEGUN, "forward", BEGUN + 3)]
    assert screen.tracks(2) == [(BEGUN, "forward", BEGUN + 2)]
    gate.set()
    masks = dict(screen.masks)
    assert {key for key in masks if key[1] != BEGUN} == {(1, 11), (2, 11), (1, 12), (2, 12), (1, 13)}
    await screen.show(0)
    await screen.settled()
    assert screen.masks == masks
    assert len(engine.tracked) == 6
    # From where it was stopped it goes on, and what is there isn't followed again.
    await screen.show(BEGUN)
    told = await screen.track(direction="forward")
    assert (told.done, told.frames) == (2 * (COUNT - 1 - BEGUN) - 5,) * 2


async def test_hovers_clicks_and_frames_go_on_while_objects_are_followed(
    server: Server, clip_id: str, screen: ClipScreen, engine: FakeEngine, gate: Turnstile
) -> None:
    async with greeted(server) as peer:
        other = ClipScreen(peer)
        await other.open(clip_id)
        await screen.click(30, 40)
        asked = await screen.ask(m.Track(seq=next(screen.seqs)))
        await happened(engine.tracking)
        await screen.peer.send(m.Hover(seq=next(screen.seqs), x=90, y=60))
        assert (await screen.until(m.Preview)).masks
        await screen.click(100, 60)
        await other.peer.send(m.Hover(seq=next(other.seqs), x=90, y=60))
        assert (await other.until(m.Preview)).masks
        await other.click(50, 50)
        shown = asyncio.create_task(other.show(5))

        def is_shown() -> bool:
            gate.let(1)  # a frame that nobody has seen waits for the one at hand
            return shown.done()

        await until(is_shown)
        gate.set()
        await screen.followed(asked)
    assert {frame for id_, frame in screen.masks if id_ == 1} == set(range(COUNT))
    assert {frame for id_, frame in screen.masks if id_ == 2} == {BEGUN}


async def test_two_sessions_take_turns_and_eight_objects_come_to_a_frame_together(
    server: Server, clip_id: str, screen: ClipScreen, engine: FakeEngine, gate: Turnstile
) -> None:
    for x in range(20, 100, 10):
        await screen.click(x, 60)
    await screen.click(120, 60)
    refused = await screen.refused(m.Track(seq=next(screen.seqs)))
    assert (refused.code, refused.reason) == ("too_many_objects", "track_objects")
    async with greeted(server) as peer:
        other = ClipScreen(peer)
        await other.open(clip_id, BEGUN)
        await screen.ask(m.Track(seq=next(screen.seqs), objects=tuple(range(1, 9)), direction="forward"))
        gate.let(8)
        await screen.until(m.TrackProgress, lambda told: told.done == 8)
        assert {key for key in screen.masks if key[1] != BEGUN} == {(id_, BEGUN + 1) for id_ in range(1, 9)}
        await other.click(30, 40)
        await other.ask(m.Track(seq=next(other.seqs), direction="forward"))
        # Its first turn waits behind the one at the gate.
        await until(lambda: any(lane.waiting for lane in server.backend.lanes["encode"]))
        gate.let(12)
        await until(lambda: len(engine.tracked) == 21)  # the last of which waits at the gate
        await other.settled()
        found = max(told.done for told in other.heard if isinstance(told, m.TrackProgress))
        assert 3 <= found <= 9, "of twelve turns each has about half, and not one of eight objects' share"


async def test_whoever_comes_back_in_the_middle_has_it_all_and_it_goes_on(
    server: Server, clip_id: str, engine: FakeEngine, gate: Turnstile
) -> None:
    async with dialled(server) as peer:
        welcome = await peer.hello()
        screen = ClipScreen(peer)
        await screen.open(clip_id, BEGUN)
        await screen.click(30, 40)
        await screen.ask(m.Track(seq=next(screen.seqs), direction="forward"))
        gate.let(4)
        await screen.until(m.TrackProgress, lambda told: told.done == 4)
        recipe = screen.recipe()
    gate.set()
    async with dialled(server) as peer:
        await peer.hello(welcome)
        back = ClipScreen(peer)
        await back.followed(0)
        assert back.tracks(1) == [(BEGUN, "forward", COUNT - 1)]
        assert {frame for _, frame in back.masks} == set(range(BEGUN, COUNT))
        once = [one.id for told in back.heard if isinstance(told, m.Masks) for one in told.objects]
        assert len(once) == COUNT - 1 - BEGUN, "each is told once"
        # After a kill the page opens what it has kept, in which it is said how far it was to go.
        async with greeted(server) as other:
            again = ClipScreen(other)
            await again.followed(await again.open(clip_id, BEGUN, recipe))
            assert again.masks == back.masks


async def test_memories_that_are_lost_are_made_again_and_no_mask_comes_twice(
    server: Server, screen: ClipScreen, gate: Turnstile
) -> None:
    await screen.click(30, 40)
    asked = await screen.ask(m.Track(seq=next(screen.seqs), direction="forward"))
    gate.let(4)
    await screen.until(m.TrackProgress, lambda told: told.done == 4)
    server.backend._follower.memories.drop("tiny")
    gate.set()
    await screen.followed(asked)
    told = [frame.frame for frame in screen.heard if isinstance(frame, m.Masks)]
    assert told == list(range(BEGUN + 1, COUNT))


async def test_a_model_that_fails_ends_it_where_it_came_to_and_the_session_goes_on(
    screen: ClipScreen, engine: FakeEngine, gate: Turnstile
) -> None:
    await screen.click(30, 40)
    asked = await screen.ask(m.Track(seq=next(screen.seqs), direction="forward"))
    gate.let(2)
    await screen.until(m.TrackProgress, lambda told: told.done == 2)
    engine.failures.append(EngineFailedError("out of memory"))
    gate.set()
    while not isinstance(error := await screen.receive(), m.Error):
        pass
    assert (error.seq, error.code) == (asked, "engine_failed")
    assert screen.tracks(1) == [(BEGUN, "forward", BEGUN + 2)]
    await screen.click(40, 40, object=1)
    assert (await screen.track(direction="forward")).frames == COUNT - 1 - BEGUN


async def test_another_model_another_frame_and_another_picture(
    server: Server, screen: ClipScreen, engine: FakeEngine, gate: Turnstile
) -> None:
    await screen.click(30, 40)
    gate.set()
    await screen.track()
    before = dict(screen.masks)
    engine.track_gate = gate = Turnstile()
    # Of frames that are asked for faster than they come the last one counts.
    seqs = [next(screen.seqs) for _ in range(5)]
    for seq in seqs:
        await screen.peer.send(m.ShowFrame(seq=seq, index=seq % COUNT))
    last = await screen.until(m.Object, lambda told: told.seq == seqs[-1])
    assert last.frame == seqs[-1] % COUNT
    assert last.masks == (before[1, seqs[-1] % COUNT],)
    # Another picture ends what is followed, and says so.
    await screen.show(BEGUN)
    await screen.click(50, 50, object=1)
    asked = await screen.ask(m.Track(seq=next(screen.seqs)))
    image_id = await uploaded(server, png())
    opened = next(screen.seqs)
    await screen.peer.send(m.Open(seq=opened, image_id=image_id))
    gate.let(1)  # so long a picture waits
    assert (await screen.followed(asked)).done <= 1
    image = next(told for told in screen.heard if isinstance(told, m.Image) and told.seq == opened)
    assert (image.frame, image.image_id) == (None, image_id)
    gate.set()
    came = await screen.peer.until_pong()
    assert not [told for told in came if isinstance(told, (m.Masks, m.TrackProgress))]


async def test_what_cannot_be_is_told_and_nothing_is_lost(screen: ClipScreen, clip_id: str) -> None:
    await screen.click(30, 40)
    before = screen.recipe(), dict(screen.masks)
    wrong = {
        "frame_outside": m.ShowFrame(seq=0, index=COUNT),
        "track_last": m.Track(seq=0, direction="forward", last=COUNT),
        "track_idle": m.Stop(seq=0),
    }
    for reason, message in wrong.items():
        seq = next(screen.seqs)
        error = await screen.refused(msgspec.structs.replace(message, seq=seq))  # type: ignore[arg-type]
        assert (error.seq, error.reason, error.fatal) == (seq, reason, False)
    assert (await screen.refused(m.Track(seq=next(screen.seqs), objects=(7,)))).code == "unknown_object"
    assert (await screen.refused(m.Open(seq=next(screen.seqs), image_id=clip_id, frame=99))).reason == "frame_outside"
    await screen.show(0)
    assert (await screen.refused(m.Track(seq=next(screen.seqs)))).reason == "track_nothing"
    assert (await screen.refused(m.Track(seq=next(screen.seqs), objects=(1,)))).reason == "track_prompt"
    await screen.show(BEGUN)
    assert (screen.recipe(), screen.masks) == before


async def test_nano_looks_at_no_further_frame_once_it_is_stopped(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames, engine = 8, compiled_nano(detect(None).precision)
    looked, at_stop, track, halt = [0], [0], engine.track, TrackWorker.halt

    def counted(*args: object) -> object:
        looked[0] += 1
        return track(*args)  # type: ignore[arg-type]

    def halted(self: TrackWorker) -> None:
        at_stop[0] = looked[0]
        halt(self)

    monkeypatch.setattr(engine, "track", counted)
    monkeypatch.setattr(TrackWorker, "halt", halted)
    server = await started(settings, engine)  # type: ignore[arg-type]
    async with greeted(server) as peer:
        screen = ClipScreen(peer)
        await screen.open(await uploaded_clip(server.url, zipped_frames(moving_scene(frames))))
        for place in ((55, 65), (150, 60), (100, 150)):
            await screen.click(*place)
        asked = await screen.ask(m.Track(seq=next(screen.seqs)))
        await screen.until(m.TrackProgress, lambda told: told.done >= 4)
        await screen.ask(m.Stop(seq=next(screen.seqs)))
        last = await screen.followed(asked)
        await screen.click(10, 10)  # for which the model has nothing else to do any more
        assert looked == at_stop
        assert last.frames == 3 * (frames - 1)
        assert at_stop[0] - 1 <= last.done <= at_stop[0] < last.frames
        assert len([key for key in screen.masks if key[1]]) == last.done
    await server.stop()


async def test_what_nano_follows_is_made_again_to_the_pixel(live_server: str) -> None:
    frames, begun, corrected = 5, 1, 3
    clip_id = await uploaded_clip(live_server, zipped_frames(moving_scene(frames)))
    ws_url = f"{live_server.replace('http', 'ws', 1)}/ws"
    async with dialled_at(ws_url) as peer:
        await peer.hello()
        screen = ClipScreen(peer)
        await screen.open(clip_id, begun)
        await screen.click(65, 75)  # on the red disc
        await screen.track()
        first = dict(screen.masks)
        assert {frame for _, frame in first} == set(range(frames))
        await screen.show(corrected)
        await screen.click(85, 95, object=1)
        kept = screen.masks[1, corrected]
        await screen.track()
        second = dict(screen.masks)
        assert second[1, corrected] == kept
        await screen.undo()
        await screen.undo()
        await screen.settled()
        assert screen.masks == first
        await screen.redo()
        await screen.redo()
        await screen.settled()
        assert screen.masks == second
    async with dialled_at(ws_url) as peer:
        await peer.hello()
        again = ClipScreen(peer)
        await again.followed(await again.open(clip_id, 0, screen.recipe()))
        assert again.masks == second
