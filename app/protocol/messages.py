"""Every message and value of the wire protocol, version 1, as frozen typed records.

`codec` turns them into bytes and back, `run_lengths` fills and reads a `Mask`. Types bound every field; what only a
session can know (is the point inside the picture, does the object exist) is not checked here.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from app.protocol.fields import MAX_FILE_BYTES, MAX_MASK_SIDE, ExportFormat, Stage
from app.protocol.from_client import (
    Box,
    Choose,
    Clear,
    Click,
    Combine,
    Delete,
    Export,
    FindRegions,
    Give,
    Given,
    Hello,
    Hover,
    Label,
    Leave,
    Look,
    Model,
    Morph,
    Move,
    Open,
    Paint,
    Ping,
    Redo,
    Refine,
    RenameClass,
    SetClasses,
    ShowFrame,
    Stop,
    Track,
    Undo,
    Unpoint,
)
from app.protocol.from_server import (
    Classes,
    Error,
    File,
    Gone,
    Image,
    Masks,
    Object,
    OpenedClip,
    Pong,
    Preview,
    Progress,
    Regions,
    TrackProgress,
    Welcome,
    Window,
)
from app.protocol.values import Class, CloseCode, Limits, Mask, ModelInfo, ObjectMask, Region

__all__ = (
    "MAX_FILE_BYTES",
    "MAX_MASK_SIDE",
    "PROTOCOL_VERSION",
    "SUBPROTOCOL",
    "Box",
    "Choose",
    "Class",
    "Classes",
    "Clear",
    "Click",
    "ClientMessage",
    "CloseCode",
    "Combine",
    "Delete",
    "Error",
    "Export",
    "ExportFormat",
    "File",
    "FindRegions",
    "Give",
    "Given",
    "Gone",
    "Hello",
    "Hover",
    "Image",
    "Label",
    "Leave",
    "Limits",
    "Look",
    "Mask",
    "Masks",
    "Model",
    "ModelInfo",
    "Morph",
    "Move",
    "Object",
    "ObjectMask",
    "Open",
    "OpenedClip",
    "Paint",
    "Ping",
    "Pong",
    "Preview",
    "Progress",
    "Redo",
    "Refine",
    "Region",
    "Regions",
    "RenameClass",
    "ServerMessage",
    "SetClasses",
    "ShowFrame",
    "Stage",
    "Stop",
    "Track",
    "TrackProgress",
    "Undo",
    "Unpoint",
    "Welcome",
    "Window",
)

PROTOCOL_VERSION: Final = 1
"""What `hello` says; a server refuses any other."""
SUBPROTOCOL: Final = "hoversam.v1"
"""What a client may offer in its WebSocket handshake."""

ClientMessage: TypeAlias = (
    Hello
    | Open
    | ShowFrame
    | Track
    | Stop
    | Hover
    | Leave
    | Look
    | Click
    | Box
    | Move
    | Unpoint
    | Choose
    | Label
    | Give
    | Combine
    | Refine
    | Paint
    | Morph
    | SetClasses
    | RenameClass
    | Delete
    | Clear
    | Undo
    | Redo
    | Model
    | FindRegions
    | Export
    | Ping
)
ServerMessage: TypeAlias = (
    Welcome
    | Progress
    | OpenedClip
    | Image
    | Preview
    | Classes
    | Object
    | Gone
    | Masks
    | TrackProgress
    | Regions
    | Window
    | File
    | Pong
    | Error
)
