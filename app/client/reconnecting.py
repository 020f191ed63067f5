"""A session's line to its server, which outlives its sockets.

A lost socket is dialled again. A server that still has the session tells it, and is sent the changes again that it had
not answered, under their own numbers, so that none is made twice. One that doesn't makes the session again from the
recipe of it, and then gets those changes. Hovers on their way are given up. Meanwhile whoever asks waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import Sequence
from typing import Any, Final, cast

from msgspec.structs import replace

from app.client.clip_view import ClipView, Failed, TakenUp
from app.client.cookies import Cookies
from app.client.errors import LostError, RestoreError, comes_back, error_of
from app.client.link import Link, open_link
from app.client.patience import Patience, Reconnect, Timeouts, pauses, wait_s
from app.client.pending_requests import MAX_SENDS, UNNUMBERED, PendingRequests, Request
from app.client.session_view import Reply, SessionView
from app.client.timeline import ClientState, ClientTimeline, ClipSource, PictureSource, state_of
from app.client.upload import upload
from app.client.upload_clip import upload_clip
from app.client.values import Latency, Object
from app.errors import BadMessageError, UnknownImageError
from app.protocol import messages as m
from app.protocol.fields import MAX_RECIPE_BYTES

CHANGES_IN_FLIGHT: Final = 8
"""Half of what a server lets wait by default; the rest waits here, where no `busy` puts it out of order."""
RESUME_SEQ: Final = 0
"""Number under which a server tells a session that is taken up."""
STATE: Final = (m.Image, m.Classes, Object, m.Gone)
"""What a session's state is told with."""
MESSAGE_BYTES: Final = 20_000
"""Of `open` around its recipe: a file's name may take most of it."""


class ReconnectingSession:
    """Sends requests and finds who waits for the answers, over one socket after another.

    Attributes:
        view: the session as the server told it.
        clip: what it told of the clip, where one is open.
        timeline: what it takes to make it again.
        pending: the requests without an answer.
        welcome: what the server said first, on the newest socket.
        timeouts, reconnect: how long to wait, and how long to dial again.
        losses: how many sockets were lost.
        cookies: what a balancer in front of several servers knows us by.
    """

    def __init__(self, url: str, timeouts: Timeouts, reconnect: Reconnect) -> None:
        """Know where the server is; `begin` connects.

        Args:
            url: the server's address.
            timeouts: how long to wait for what.
            reconnect: how long a lost connection is dialled again.
        """
        self.url, self.timeouts, self.reconnect = url, timeouts, reconnect
        self.view, self.timeline, self.pending = SessionView(), ClientTimeline(), PendingRequests()
        self.clip = ClipView()
        self.losses, self.cookies = 0, Cookies()
        self._picture: PictureSource | ClipSource | None = None
        self._name: str | None = None
        """What was opened, and its file's name."""
        self._model: str | None = None
        """The one that was asked for before a picture was open."""
        self._seqs = itertools.count(1)
        self._pongs: dict[float, asyncio.Future[m.Pong]] = {}
        self._slots = asyncio.Semaphore(CHANGES_IN_FLIGHT)
        self._up = asyncio.Event()
        self._broken: Exception | None = None
        self._forgotten = False
        """True where the server doesn't have the session, or has only a part of it."""

    async def begin(self) -> None:
        """Connect for the first time; raises as `open_link`, and tries once."""
        self._link = await open_link(self.url, self.timeouts, self._take, cookies=self.cookies)
        self.welcome: m.Welcome = self._link.welcome
        self._up.set()
        self._keeper = asyncio.create_task(self._keep(), name="hoversam client keeper")

    async def end(self) -> None:
        """Close the socket and leave nothing behind."""
        self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)
        self._give_up(self._broken or LostError("the session was closed; connect again"))
        await self._link.close()

    async def ready(self) -> Link:
        """Return the socket, once there is one.

        Raises:
            Exception: why there will be none; connect again.
        """
        await self._up.wait()
        if self._broken is not None:
            raise self._broken
        return self._link

    async def ask(self, request: Request, timeout_s: float) -> Reply:
        """Return the reply to a change, which is sent again while the server is too busy for it.

        Raises:
            HoverError: the server answered with an error.
            ConnectionError: the connection was lost for good.
            TimeoutError: no answer came in time. The change may still be made.
        """
        patience = Patience(self.timeouts.busy_s)
        while True:
            await self._slots.acquire()
            request.answer.add_done_callback(lambda _: self._slots.release())
            try:
                await self.put(request)
                return cast("Reply", await self.wait(request, timeout_s))
            except Exception as error:
                if self._broken is not None:
                    raise
                pause_s = patience.pause_s(error)
            await asyncio.sleep(pause_s)
            request = request.once_more()

    async def put(self, request: Request) -> int:
        """Send a request under a new number and return that, as soon as there is a connection; raises as `ask`."""
        try:
            link = await self.ready()
        except BaseException:
            request.answer.cancel()
            raise
        seq = next(self._seqs)
        self.pending.expect(seq, request)
        try:
            await self._send(link, seq, request)
        except LostError:
            pass  # the keeper sends a change again, and gives a hover up
        except BadMessageError:  # it can't be sent, now or on another socket
            self.pending.forget(seq)
            raise
        except asyncio.CancelledError:
            request.answer.cancel()
            raise
        return seq

    async def wait(self, request: Request, timeout_s: float) -> Reply | None:
        """Return the answer, None for a hover that was given up; raises as `ask`."""
        while True:
            try:
                return await asyncio.wait_for(asyncio.shield(request.answer), timeout_s)
            except asyncio.TimeoutError:
                if self._up.is_set():
                    request.answer.cancel()
                    raise TimeoutError(f"no answer came within {timeout_s:g} s; the server may be busy") from None
                await self._up.wait()

    async def tell(self, message: m.Leave | m.Stop) -> int:
        """Send a message whose answer nobody needs, and return its number; nothing happens without a connection."""
        seq = next(self._seqs)
        if self._up.is_set() and self._broken is None:
            with contextlib.suppress(LostError):  # a server that has lost us needs no telling
                await self._link.send(replace(message, seq=seq))
        return seq

    async def ping(self) -> Latency:
        """Return how long things take at the moment; raises as `ask`."""
        while True:
            link = await self.ready()
            try:
                return await self._ping(link)
            except LostError:
                await asyncio.wait([link.closed])
                await asyncio.sleep(0)  # the keeper takes note of it before anyone asks for the next socket

    async def _send(self, link: Link, seq: int, request: Request) -> None:
        request.sends += 1
        await link.send(replace(request.message, seq=seq))

    async def _ping(self, link: Link) -> Latency:
        began = time.perf_counter()
        pong: asyncio.Future[m.Pong] = asyncio.get_running_loop().create_future()
        self._pongs[began] = pong
        try:
            await link.send(m.Ping(at=began))
            await first_of(pong, link.closed, timeout_s=self.timeouts.reply_s)
        finally:
            del self._pongs[began]
        if pong.done():
            medians = pong.result()
            return Latency((time.perf_counter() - began) * 1000, medians.queue_ms, medians.decode_ms)
        if link.closed.done():
            raise LostError("the connection was lost before the pong came")
        raise TimeoutError(f"no pong came within {self.timeouts.reply_s:g} s; connect again")

    # What comes.

    def _take(self, message: m.ServerMessage, nbytes: int) -> None:
        if isinstance(message, m.Error):
            if message.seq is not None and self.pending.get(message.seq) is None:
                self.clip.say(Failed(message.seq, error_of(message)))
            self.pending.refuse(message.seq, error_of(message))
        elif isinstance(message, m.Pong):
            pong = self._pongs.get(message.at)
            if pong is not None and not pong.done():
                pong.set_result(message)
        elif isinstance(message, m.Progress):
            request = self.pending.get(message.seq)
            if request is not None and request.progress is not None:
                request.progress(message)
        elif isinstance(message, (m.OpenedClip, m.Masks, m.TrackProgress)):
            self.clip.take(message)
        elif not isinstance(message, m.Welcome) and (answer := self.view.take(message, nbytes)):
            self._note_of_clip(answer)
            answered = self.pending.resolve(message.seq, answer)
            if answered is not None:
                self._remember(answered, answer[0])

    def _note_of_clip(self, answer: Sequence[Reply]) -> None:
        for each in answer:
            if isinstance(each, m.Image) and each.frame is None:
                self.clip.forget()
            elif isinstance(each, m.Gone):
                self.clip.gone(each.objects)

    def _remember(self, answered: Request, reply: Reply) -> None:
        """Note what an answer has made of the session."""
        asked = answered.message
        if isinstance(asked, m.Open) and not answered.again:
            self._picture, self._name = answered.picture, asked.name
            self.timeline.begin(self._state)
        elif isinstance(asked, m.Model) and self.view.image is None:
            self._model = asked.name
        elif isinstance(reply, STATE):
            self.timeline.settle(asked, self._state, can_undo=self.view.can_undo, can_redo=self.view.can_redo)

    @property
    def picture_name(self) -> str | None:
        """File name of the open picture, as the server was told it."""
        return self._name

    @property
    def _state(self) -> ClientState:
        return state_of(self.view.objects, self.view.classes)

    # Coming back.

    async def _keep(self) -> None:
        """Replace the socket each time that it is lost; returns when the session is given up."""
        try:
            while True:
                reason = await self._link.closed
                self.losses += 1
                self._up.clear()
                self.pending.overtake()
                await self._link.close()
                await self._come_back(reason)
                self._up.set()
        except Exception as error:  # told to everyone who waits
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._broken = error
        self.pending.refuse(None, error)
        self.clip.say(Failed(None, error))
        self._up.set()

    async def _come_back(self, reason: Exception) -> None:
        """Dial until a server has the session again; raises the newest reason where none does in time."""
        deadline = time.monotonic() + self.reconnect.give_up_s
        for pause in pauses(self.reconnect, random.random):
            told_s = getattr(reason, "retry_after_s", None)
            pause_s = pause if told_s is None else wait_s(told_s, random.random)
            if not comes_back(reason) or time.monotonic() + pause_s >= deadline:
                raise reason
            await asyncio.sleep(pause_s)
            try:
                return await self._take_up()
            except Exception as error:  # judged at the top of the next round
                self._forgotten |= isinstance(error, LostError) and error.wrong_token
                reason = error
        return None

    async def _take_up(self) -> None:
        """Take the session up on a new socket; raises where that one fails too."""
        self.view.forget_parts()
        self.clip.say(TakenUp(RESUME_SEQ))
        known = None if self._forgotten else self.welcome
        link = await open_link(self.url, self.timeouts, self._take, cookies=self.cookies, known=known)
        try:
            self.welcome = link.welcome
            self._forgotten |= not link.welcome.resumed
            if self._forgotten:
                await self._make_again(link)
            else:
                resumed = Request(m.Hello(version=m.PROTOCOL_VERSION), STATE, again=True)
                await self._answered(link, RESUME_SEQ, resumed)
            await self._send_again(link)
        except BaseException:
            await link.close()
            raise
        self._link = link

    async def _make_again(self, link: Link) -> None:
        """Have a server make a session that it doesn't have; the changes without an answer get new numbers.

        Raises:
            RestoreError: it doesn't take it, or the picture's file has changed.
            Exception: why it didn't answer.
        """
        try:
            if self.view.image is not None:
                await self._open_again(link, self.view.image)
            else:
                if self._model is not None:
                    await self._ask_again(link, m.Model(seq=UNNUMBERED, name=self._model))
                if self.view.classes:
                    await self._ask_again(link, m.SetClasses(seq=UNNUMBERED, classes=self.view.classes))
        except RestoreError:
            raise
        except Exception as error:
            if comes_back(error):
                raise
            raise RestoreError(f"the server lost the session and doesn't take it again: {error}") from error
        for seq, _ in self.pending.changes():
            self.pending.renumber(seq, next(self._seqs))
        self._forgotten = False

    async def _open_again(self, link: Link, image: m.Image) -> None:
        """Open the picture with its recipe, uploaded again where the server doesn't have it."""
        most, clip = min(MAX_RECIPE_BYTES, link.welcome.limits.max_message_bytes) - MESSAGE_BYTES, self.clip.clip
        own_id, frame = image.image_id if clip is None else clip.clip_id, image.frame or 0
        recipe = self.timeline.recipe(replace(image, image_id=own_id), self._name, most)
        message = m.Open(seq=UNNUMBERED, image_id=own_id, name=self._name, recipe=recipe, frame=frame)
        try:
            await self._ask_again(link, message)
        except UnknownImageError:
            if self._picture is None:
                raise
            if await self.sent(self._picture) != own_id:
                raise RestoreError(f"the file of {self._name} has changed since it was opened") from None
            await self._ask_again(link, message)

    async def sent(self, source: PictureSource | ClipSource, *, provisional: bool = False) -> str:
        """Return the id of a picture or clip after its upload; raises as `upload`."""
        if isinstance(source, ClipSource):
            return await upload_clip(self.url, source, timeout_s=self.timeouts.open_s, cookies=self.cookies)
        timeout_s = self.timeouts.reply_s
        return await upload(self.url, source, timeout_s=timeout_s, cookies=self.cookies, provisional=provisional)

    async def _ask_again(self, link: Link, message: m.Open | m.Model | m.SetClasses) -> None:
        """Ask on a socket that isn't in use yet, as often as the server is too busy."""
        patience = Patience(self.timeouts.busy_s)
        while True:
            seq, request = next(self._seqs), Request(message, STATE, again=True)
            self.clip.say(TakenUp(seq))
            try:
                return await self._answered(link, seq, request, ask=True)
            except Exception as error:
                pause_s = patience.pause_s(error)
            await asyncio.sleep(pause_s)

    async def _answered(self, link: Link, seq: int, request: Request, *, ask: bool = False) -> None:
        """Return once a request is answered that belongs to a socket which isn't in use yet; `ask` sends it."""
        self.pending.expect(seq, request)
        try:
            if ask:
                await self._send(link, seq, request)
            await first_of(request.answer, link.closed, timeout_s=self.timeouts.open_s)
            if request.answer.done():
                request.answer.result()
            elif link.closed.done():
                raise LostError("the connection was lost while the session was taken up")
            else:
                raise TimeoutError(f"no answer came within {self.timeouts.open_s:g} s while the session was taken up")
        finally:
            self.pending.forget(seq)

    async def _send_again(self, link: Link) -> None:
        for seq, request in self.pending.changes():
            if request.sends >= MAX_SENDS:
                self.pending.refuse(seq, LostError(f"the connection was lost {MAX_SENDS} times before an answer came"))
            else:
                await self._send(link, seq, request)


async def first_of(*ends: asyncio.Future[Any], timeout_s: float) -> None:
    """Return once one of them is done, or the time is over."""
    await asyncio.wait(ends, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
