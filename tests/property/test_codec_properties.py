from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, get_args

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import inspect

from app.errors import HoverError
from app.protocol.codec import decode_client, decode_server, encode
from app.protocol.messages import ClientMessage, Open, ServerMessage
from tests.helpers.thorough import examples

KINDS: tuple[Any, ...] = get_args(ClientMessage) + get_args(ServerMessage)
LONGEST = 8

unhurried = settings(max_examples=examples(100, 10_000), suppress_health_check=[HealthCheck.too_slow])

scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary()
trees = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6)
tags = st.sampled_from([kind.__name__.lower() for kind in KINDS])
fields = st.sampled_from(["seq", "x", "y", "label", "object", "box", "point", "name", "data", "masks", "at", "q"])


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Return every value that a field's type and bounds allow, so that a new message is covered without a word here."""
    match kind:
        case inspect.NoneType():
            return st.none()
        case inspect.BoolType():
            return st.booleans()
        case inspect.IntType():
            return st.integers(kind.ge, kind.le)
        case inspect.FloatType():
            lowest = kind.ge if kind.gt is None else kind.gt
            return st.floats(lowest, kind.le, exclude_min=kind.gt is not None)
        case inspect.StrType():
            return st.from_regex(kind.pattern, fullmatch=True) if kind.pattern else st.text(max_size=LONGEST)
        case inspect.BytesType():
            return st.binary(max_size=LONGEST)
        case inspect.LiteralType():
            return st.sampled_from(kind.values)
        case inspect.Metadata():
            return values_of(kind.type)
        case inspect.UnionType():
            return st.one_of([values_of(each) for each in kind.types])
        case inspect.TupleType():
            return st.tuples(*map(values_of, kind.item_types))
        case inspect.VarTupleType():
            return st.lists(values_of(kind.item_type), min_size=kind.min_length or 0, max_size=LONGEST).map(tuple)
        case inspect.DictType():
            return st.dictionaries(values_of(kind.key_type), values_of(kind.value_type), max_size=LONGEST)
        case inspect.StructType():
            return st.builds(kind.cls, **{field.name: values_of(field.type) for field in kind.fields})
    raise TypeError(f"no strategy for {kind}")


def leaves_of(kind: Any) -> Iterator[Any]:
    """Give every type inside a type that could hold more than one is prepared for."""
    for inner in (*getattr(kind, "types", ()), *getattr(kind, "item_types", ())):
        yield from leaves_of(inner)
    if isinstance(kind, inspect.StructType):
        for field in kind.fields:
            yield from leaves_of(field.type)
    if isinstance(kind, inspect.VarTupleType):
        yield from leaves_of(kind.item_type)
    if isinstance(kind, inspect.DictType):
        yield from leaves_of(kind.key_type)
        yield from leaves_of(kind.value_type)
    yield kind


def messages_of(union: Any) -> st.SearchStrategy[Any]:
    return st.one_of([values_of(inspect.type_info(kind)) for kind in get_args(union)])


@pytest.mark.parametrize("message", KINDS)
def test_every_field_has_a_bound(message: Any) -> None:
    for leaf in leaves_of(inspect.type_info(message)):
        if isinstance(leaf, (inspect.IntType, inspect.FloatType)):
            assert None not in (leaf.ge if leaf.gt is None else leaf.gt, leaf.le), leaf
        elif isinstance(leaf, (inspect.StrType, inspect.BytesType, inspect.VarTupleType, inspect.DictType)):
            assert leaf.max_length is not None, leaf
        else:
            assert not isinstance(leaf, (inspect.AnyType, inspect.ListType)), leaf


@unhurried
@given(messages_of(ClientMessage).filter(lambda m: not isinstance(m, Open) or (m.data is None) != (m.image_id is None)))
def test_a_clients_message_survives_the_wire(message: ClientMessage) -> None:
    assert decode_client(encode(message)) == message


@unhurried
@given(messages_of(ServerMessage))
def test_a_servers_message_survives_the_wire(message: ServerMessage) -> None:
    assert decode_server(encode(message)) == message


@unhurried
@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    with contextlib.suppress(HoverError):
        decode_client(data)
    with contextlib.suppress(HoverError):
        decode_server(data)


@unhurried
@given(tags, st.dictionaries(fields, trees))
def test_any_fields_are_a_message_or_refused(tag: str, values: dict[str, object]) -> None:
    data = msgpack.packb({"t": tag} | values)
    with contextlib.suppress(HoverError):
        decode_client(data)
    with contextlib.suppress(HoverError):
        decode_server(data)
