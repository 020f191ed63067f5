"""Every setting in one typed table, read once from the environment (`HOVERSAM_<NAME>`).

The command line and the page of settings read the same table; nothing else reads the environment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_args, get_type_hints

import msgspec
import platformdirs
from msgspec import Meta, Struct

from app.wording import in_words

LISTS = ("allowed_origins", "allowed_hosts", "trusted_proxies", "weights_mirrors")
"""Settings whose variable holds several values, with commas."""
MAX_EXPORT_BYTES = 2**30
"""The most that `max_export_bytes` may be set to: the client takes no longer file."""
Count: TypeAlias = Annotated[int, Meta(gt=0)]
Url: TypeAlias = Annotated[str, Meta(pattern=r"^https?://")]
Origin: TypeAlias = Annotated[str, Meta(pattern=r"(?i)^[a-z][a-z0-9+.-]*://[^/*\s]+$")]
"""As a browser writes it, scheme and host without a path: anything else would be compared in vain."""
Level: TypeAlias = Annotated[str, Meta(pattern=r"(?i)^(debug|info|warning|error|critical)$")]
Name: TypeAlias = Annotated[str, Meta(pattern=r"^(\*|[^\s/*@]+)$")]
"""Of a server, perhaps with a port, or every one: an address of the web or a part of a name would match nothing."""
HostPort: TypeAlias = Annotated[str, Meta(pattern=r"^[^\s:]+:[0-9]+$")]


def told(text: str) -> Meta:
    """Return what is said of a setting."""
    return Meta(description=text)


EngineName = Literal["auto", "torch", "openvino"]
PrecisionName = Literal["bf16", "fp32"]


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator may set: what depends on the machine, its users or its network. Sizes in bytes or pixels.

    A bound that nobody would change is none: it stands in the `limits.py` of the package that keeps to it.
    """

    host: Annotated[str, Meta(min_length=1, description="address to listen on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535, description="port to listen on")] = 8000
    model: Annotated[str | None, told("model to run; unset takes the best one that is there")] = None
    checkpoint: Annotated[Path | None, told("weights of your own, of the architecture of the model")] = None
    checkpoints_dir: Annotated[Path, told("folder of the weights")] = Path(__file__).parent.parent / "checkpoints"
    device: Annotated[str | None, told("cpu, cuda or mps; unset takes the fastest that is there")] = None
    engine: Annotated[EngineName, told("OpenVINO on x86 CPUs and torch elsewhere, or always one of them")] = "auto"
    precision: Annotated[
        PrecisionName | None, told("of OpenVINO, bf16 or fp32; unset takes bf16 where the CPU computes in it")
    ] = None
    threads: Annotated[
        Count | None, told("processor threads of a model; unset takes all cores, or each worker its share of them")
    ] = None
    workers: Annotated[
        Count | None, told("processes that models run in, beside this one; unset runs them in this one")
    ] = None
    ray_address: Annotated[HostPort | None, told("HOST:PORT of the Ray that workers run in; unset starts one")] = None
    cache_dir: Annotated[
        Path | None, told("folder of compiled models and of hashes; unset takes the user's cache folder of the system")
    ] = None
    shared_dir: Annotated[
        Path | None,
        told("folder that servers behind one balancer share, so that what came to one of them is known to all"),
    ] = None
    offline: Annotated[bool, told("never fetch weights")] = False
    weights_mirrors: Annotated[tuple[Url, ...], told("addresses of folders to fetch weights from, tried first")] = ()
    log_level: Annotated[Level, told("least severe event that is logged: debug, info, warning, error or critical")] = (
        "INFO"
    )
    log_json: Annotated[bool, told("log JSON, for collectors")] = False
    allowed_origins: Annotated[
        tuple[Origin, ...],
        told("further web origins that may use the server, such as https://a.example, with commas"),
    ] = ()
    allowed_hosts: Annotated[
        tuple[Name, ...],
        told(
            "names under which the server is reached, such as a.example, with commas; addresses and localhost go anyway"
        ),
    ] = ()
    trusted_proxies: Annotated[
        tuple[str, ...],
        told("addresses, or networks such as 10.0.0.0/8, of proxies whose X-Forwarded-For is believed, with commas"),
    ] = ()

    max_upload_bytes: Annotated[Count, told("bytes of one picture; a proxy in front has a bound of its own")] = (
        32 * 2**20
    )
    max_pixels: Annotated[Count, told("pixels of one picture")] = 65_000_000
    max_sessions: Annotated[Count, told("sessions, held or kept for their owner's return")] = 64
    max_sessions_per_address: Annotated[
        Count, told("sessions of one address, such as a router's; the server's own machine may have all")
    ] = 8
    max_connections: Annotated[
        Count, told("connections of all kinds, some for each session; one more is answered 503")
    ] = 512
    image_budget_bytes: Annotated[
        Count,
        told("uploaded pictures kept, in memory and as many in the shared folder; the least recently used go first"),
    ] = 512 * 2**20
    model_budget_bytes: Annotated[
        Count, told("weights kept loaded, counted in float32; the least recently used model goes first")
    ] = 2048 * 2**20
    embedding_budget_bytes: Annotated[
        Count | None, told("embeddings kept; unset takes a quarter of the memory, at most 2 GiB")
    ] = None
    max_export_bytes: Annotated[
        int, Meta(gt=0, le=MAX_EXPORT_BYTES, description="bytes of an exported file, at most 1 GiB")
    ] = 256 * 2**20
    speck_share: Annotated[
        float,
        Meta(ge=0, le=0.1, description="specks and holes of a mask up to this share of the picture go; 0 keeps all"),
    ] = 0.001

    @property
    def graphs_dir(self) -> Path:
        """Where compiled models are kept."""
        return self._cache() / "graphs"

    @property
    def hashes_file(self) -> Path:
        """Where hashes of weights are remembered between starts."""
        return self._cache() / "verified.json"

    @property
    def looks_file(self) -> Path:
        """Where looks for weights that failed are remembered between starts."""
        return self._cache() / "looks.json"

    def _cache(self) -> Path:
        if self.cache_dir is not None:
            return self.cache_dir
        try:
            return platformdirs.user_cache_path("hoversam", appauthor=False)
        except RuntimeError:  # a user without a home, as a container may have
            return self.checkpoints_dir / ".cache"


def from_environment(environ: Mapping[str, str]) -> Settings:
    """Return the settings that the environment asks for, defaults elsewhere.

    Args:
        environ: the process environment; `HOVERSAM_MAX_PIXELS=1000000` sets `max_pixels`,
            lists are separated by commas. An empty variable is as one that is unset: files of services and containers
            have them, and an empty host would be every address of the machine.

    Raises:
        ValueError: a variable has a value that its setting can't take; the text names both.
    """
    texts = {name: text for name in Settings.__struct_fields__ if (text := environ.get(variable(name), "").strip())}
    values = {name: items(text) if name in LISTS else text for name, text in texts.items()}
    try:
        settings = msgspec.convert(values, Settings, strict=False, dec_hook=lambda _, text: path_of(text))
    except msgspec.ValidationError as error:
        place, _, reason = in_words(str(error), Settings).partition(": ")
        name = re.split(r"\W", place)[0]  # of a list the place goes on with the number of the item
        told = "" if descriptions()[name] in reason else as_typed(reason)  # what is said of it follows anyway
        raise ValueError(refusal(name, texts[name], told)) from error
    try:
        for network in settings.trusted_proxies:
            ip_network(network)  # what is none would be compared in vain
    except ValueError as error:
        raise ValueError(refusal("trusted_proxies", texts["trusted_proxies"], str(error))) from error
    return msgspec.structs.replace(settings, allowed_origins=tuple(map(as_sent, settings.allowed_origins)))


def refusal(name: str, text: str, reason: str) -> str:
    """Return what is said of a variable that has a value that its setting can't take."""
    return f"{variable(name)} can't be {text!r}{reason and f' ({reason})'}; it is: {descriptions()[name]}"


def as_typed(reason: str) -> str:
    """Return what was expected of somebody who can type nothing but text."""
    return reason.partition(", got ")[0].replace("true or false", "1 or 0, true or false")


def path_of(text: str) -> Path:
    """Return a path; files of services and containers have the `~` of a home folder as no shell has seen it.

    Raises:
        ValueError: there is no such home folder.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError(str(error)) from error


def as_sent(origin: str) -> str:
    """Return an origin as browsers send it: in small letters, without the port that its scheme has anyway."""
    scheme, _, host = origin.lower().partition("://")
    usual = {"http": ":80", "https": ":443"}.get(scheme, "")
    return f"{scheme}://{host.removesuffix(usual)}"


def strangers(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables that look like settings and are none, in order: misspelt ones, and those given up."""
    known = {variable(name) for name in Settings.__struct_fields__}
    return tuple(sorted(name for name in environ if name.startswith(variable("")) and name not in known))


def items(text: str) -> list[str]:
    """Return the values of a list; spaces around them and a comma at the end mean nothing."""
    return [item.strip() for item in text.split(",") if item.strip()]


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return f"HOVERSAM_{name.upper()}"


def descriptions() -> dict[str, str]:
    """Return what is said of each setting, by name."""
    hints = get_type_hints(Settings, include_extras=True)
    return {
        name: next(meta.description for meta in get_args(hints[name])[1:] if meta.description)
        for name in Settings.__struct_fields__
    }
