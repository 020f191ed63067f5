from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec
import pytest

from app.limits import AppLimits, limit_table
from app.settings import Settings, descriptions, from_environment


def test_an_empty_environment_gives_the_defaults() -> None:
    assert from_environment({"PATH": "/bin", "HOME": "/"}) == Settings()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("HOST", "0.0.0.0", "0.0.0.0"),
        ("PORT", "9000", 9000),
        ("MODEL", "nano", "nano"),
        ("CHECKPOINT", "/a/b.pt", Path("/a/b.pt")),
        ("CHECKPOINTS_DIR", "weights", Path("weights")),
        ("OFFLINE", "1", True),
        ("OFFLINE", "false", False),
        ("ALLOWED_ORIGINS", "https://a.example,https://b.example", ("https://a.example", "https://b.example")),
        ("ALLOWED_ORIGINS", "http://a.example:3000", ("http://a.example:3000",)),
        ("ALLOWED_ORIGINS", "HTTPS://A.Example:443,http://b:80", ("https://a.example", "http://b")),
        ("CACHE_DIR", "~/caches", Path.home() / "caches"),
        ("ALLOWED_HOSTS", "*", ("*",)),
        ("ALLOWED_HOSTS", "a.example:8443", ("a.example:8443",)),
        ("LOG_LEVEL", "debug", "debug"),
        ("LOG_LEVEL", "WARNING", "WARNING"),
        ("ALLOWED_HOSTS", " a.example, b.example,", ("a.example", "b.example")),
        ("TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8, ::1", ("127.0.0.1", "10.0.0.0/8", "::1")),
        ("SPECK_SHARE", "0.05", 0.05),
        ("MAX_PIXELS", "1", 1),
    ],
)
def test_a_variable_sets_its_setting(name: str, text: str, value: object) -> None:
    assert getattr(from_environment({f"HOVERSAM_{name}": text}), name.lower()) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "many"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("MAX_SESSIONS", "0"),
        ("OFFLINE", "perhaps"),
        ("SPECK_SHARE", "nan"),
        ("SPECK_SHARE", "-0.1"),
        ("MAX_EXPORT_BYTES", "1e12"),
        ("TRUSTED_PROXIES", "localhost"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "10.0.0.300"),
        ("TRUSTED_PROXIES", "abc"),
        ("ALLOWED_HOSTS", "https://a.example"),
        ("ALLOWED_HOSTS", "a.example/hoversam"),
        ("ALLOWED_HOSTS", "*.a.example"),
        ("CHECKPOINT", "~nobody-of-this-name/a.pt"),
        ("LOG_LEVEL", "loud"),
        ("ALLOWED_ORIGINS", "a.example"),
        ("ALLOWED_ORIGINS", "https://a.example/"),
        ("ALLOWED_ORIGINS", "https://a.example/page"),
    ],
)
def test_a_variable_that_can_not_be_is_named(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=rf"^HOVERSAM_{name} can't be '{re.escape(text)}'") as refused:
        from_environment({f"HOVERSAM_{name}": text})
    assert descriptions()[name.lower()] in str(refused.value)
    assert "regex" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("ENGINE", "tensorrt", "(expected auto, openvino or torch)"),
        ("PRECISION", "int8", "(expected bf16 or fp32)"),
        ("OFFLINE", "yes", "(expected 1 or 0, true or false)"),
        ("PORT", "80.5", "(expected a whole number)"),
        ("THREADS", "two", "(expected a whole number)"),
        ("MAX_PIXELS", "0", "(expected a whole number >= 1)"),
        ("SPECK_SHARE", "1", "(expected a number <= 0.1)"),
        ("CHECKPOINT", "~nobody-of-this-name/a.pt", "home directory"),
        ("TRUSTED_PROXIES", "10.0.0.1/8", "has host bits set"),
    ],
)
def test_an_operator_reads_what_was_expected_and_no_types(name: str, text: str, told: str) -> None:
    with pytest.raises(ValueError, match=name) as refused:
        from_environment({f"HOVERSAM_{name}": text})
    assert told in str(refused.value)
    assert "`" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_variable_is_as_one_that_is_unset(text: str) -> None:
    names = Settings.__struct_fields__
    assert from_environment({f"HOVERSAM_{name.upper()}": text for name in names}) == Settings()


def test_the_item_of_a_list_that_can_not_be_is_shown_with_its_variable() -> None:
    with pytest.raises(ValueError, match=r"^HOVERSAM_WEIGHTS_MIRRORS can't be 'https://a\.example,ftp://b'"):
        from_environment({"HOVERSAM_WEIGHTS_MIRRORS": "https://a.example,ftp://b"})


def test_a_bound_that_no_operator_would_change_has_no_variable() -> None:
    names = [limit.name for limit in limit_table(Settings(), AppLimits()) if limit.variable is None]
    assert len(names) > 30
    assert from_environment({f"HOVERSAM_{name.upper()}": "1" for name in names}) == Settings()


NUMBERS = [field.name for field in msgspec.structs.fields(Settings) if isinstance(field.default, (int, float))]


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_has_a_variable_of_its_name(name: str) -> None:
    default = getattr(Settings(), name)
    assert from_environment({f"HOVERSAM_{name.upper()}": str(default)}) == Settings()
    with pytest.raises(ValueError, match=name.upper()):
        from_environment({f"HOVERSAM_{name.upper()}": "no number"})


def test_what_can_be_made_again_lies_in_the_cache_folder_of_the_user_or_where_the_setting_says(tmp_path: Path) -> None:
    usual, own = Settings(), Settings(cache_dir=tmp_path)
    assert (usual.hashes_file.parent.name, usual.graphs_dir.parent.name) == ("hoversam", "hoversam")
    assert {own.hashes_file.parent, own.graphs_dir.parent} == {tmp_path}


def test_a_user_without_a_home_has_a_cache_beside_the_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7)
    assert Settings(checkpoints_dir=tmp_path).graphs_dir.is_relative_to(tmp_path)
