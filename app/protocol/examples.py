"""One example of every message, for the documentation. The tests hold each to its golden bytes."""

from __future__ import annotations

from app.protocol import messages as m
from app.protocol.recipe import MaskStep, TrackStep
from app.protocol.values import ExportOptions

MASK = m.Mask(size=(3, 4), box=(1, 0, 3, 2), runs=bytes([0, 3, 1]), score=0.875, area=3)
"""The mask `0110 / 0100 / 0000`: its crop is `11 / 10`, its run lengths 0, 3, 1."""


REGION = m.Region(mask=MASK, x=1.5, y=0.5, candidate=1)
GIVEN = MaskStep(size=(3, 4), counts="321O4")
"""The same mask as it is given: its run lengths down the columns are 3, 2, 1, 1 and 5."""
CLASS = m.Class(name="leaf", color=2)
TRACK = TrackStep(frame=10, direction="forward", last=29)


def from_client() -> tuple[m.ClientMessage, ...]:
    """Return one message of each kind that a client sends, in the order in which a session meets them."""
    return (
        m.Hello(version=1),
        m.Open(seq=1, image_id="3f9a", name="cat.jpg"),
        m.Hover(seq=3, x=320.5, y=200.25),
        m.Leave(seq=300),
        m.ShowFrame(seq=301, index=10),
        m.Track(seq=302, objects=(7,), direction="forward", last=29),
        m.Stop(seq=303),
        m.Click(seq=70_000, x=320.5, y=200.25),
        m.Box(seq=6, box=(10.5, 20.5, 110.25, 220.75)),
        m.Move(seq=7, object=7, point=2, x=1.5, y=2.5),
        m.Unpoint(seq=8, object=7, point=0),
        m.Choose(seq=9, object=7, candidate=2),
        m.Label(seq=10, object=7, name="Käfer 🐞"),
        m.Give(seq=20, objects=(m.Given(trail=(GIVEN,), name="leaf"),)),
        m.Combine(seq=21, operation="union", objects=(7, 8)),
        m.Refine(seq=22, object=7),
        m.Paint(seq=23, path=((10.5, 20.5), (14.5, 20.5)), radius=6.5, object=7, smart=True),
        m.Morph(seq=24, object=7, operation="grow", size=2.5),
        m.SetClasses(seq=18, classes=("Käfer 🐞", CLASS)),
        m.RenameClass(seq=19, name="leaf", to="twig"),
        m.Delete(seq=11, object=7),
        m.Clear(seq=12),
        m.Undo(seq=13),
        m.Redo(seq=14),
        m.Model(seq=15, name="base_plus"),
        m.FindRegions(seq=20),
        m.Look(seq=21, view=(1000.5, 800.5, 1400.25, 1050.75), scale=3.2),
        m.Export(seq=16, format="cutout", options=ExportOptions(trim=True, edge="soft")),
        m.Ping(at=1234567.5),
    )


def from_server() -> tuple[m.ServerMessage, ...]:
    """Return one message of each kind that the server sends."""
    return (
        welcome(),
        m.Progress(seq=1, stage="queued", position=3),
        m.Image(seq=1, image_id="3f9a", width=640, height=480, model="nano", cached=False, encode_ms=512.5),
        m.OpenedClip(seq=1, clip_id="clip-3f9a", width=640, height=480, times=(0.0, 0.04, 0.125), duration=0.165),
        m.Preview(seq=200, x=0.5, y=0.25, object=7, best=0, masks=(MASK,)),
        m.Object(
            seq=6,
            id=8,
            name="",
            color=0,
            points=(),
            box=(10.5, 20.5, 110.25, 220.75),
            chosen=0,
            masks=(MASK,),
            can_undo=True,
            can_redo=True,
        ),
        m.Masks(seq=302, frame=11, objects=(m.ObjectMask(7, MASK), m.ObjectMask(8, None))),
        m.TrackProgress(seq=302, done=19, frames=19, last=True),
        m.Classes(
            seq=18,
            classes=(m.Class(name="Käfer 🐞", color=0), CLASS),
            can_undo=True,
            can_redo=False,
        ),
        m.Gone(seq=12, objects=(7, 8), can_undo=True, can_redo=False),
        m.Regions(seq=20, regions=(REGION,), last=True),
        m.Window(seq=21, window=(896, 640, 1408, 1152)),
        m.File(seq=16, name="masks.json", media_type="application/json", data=b"{}"),
        m.Pong(at=1234567.5, queue_ms=0.5, decode_ms=12.25),
        m.Error(seq=17, code="busy", message="try again", fatal=True, retry_after=2.5),
    )


def welcome() -> m.Welcome:
    """Return the answer to a first `hello`."""
    return m.Welcome(
        version=1,
        session="s-1",
        token="0123456789abcdef",  # noqa: S106
        resumed=False,
        model="nano",
        models=(
            m.ModelInfo(name="nano", params_m=0.75, available=True, bundled=True),
            m.ModelInfo(name="large", params_m=224.5, available=False, bundled=False, fetchable=True),
        ),
        limits=m.Limits(
            max_upload_bytes=20_971_520,
            max_pixels=40_000_000,
            max_side=16_384,
            max_inline_bytes=262_144,
            max_message_bytes=524_288,
            max_points=64,
            max_objects=64,
        ),
        server="hoversam/0.1.0",
    )
