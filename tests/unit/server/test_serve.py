from __future__ import annotations

import argparse
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import ModelUnavailableError
from app.limits import AppLimits
from app.server import serve
from app.settings import Settings
from tests.helpers.limits import shrunk


def parsed(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    serve.add_arguments(parser)
    return parser.parse_args(options)


@pytest.fixture
def wanted(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings with which a model was looked for; none is found."""
    came: list[Settings] = []

    def none_found(settings: Settings, *_: object) -> None:
        came.append(settings)
        raise ModelUnavailableError("no model here")

    monkeypatch.setattr(serve, "find_weights", none_found)
    return came


@pytest.fixture
def taken_port() -> Iterator[str]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield str(taken.getsockname()[1])


def test_an_option_goes_before_its_variable(monkeypatch: pytest.MonkeyPatch, wanted: list[Settings]) -> None:
    monkeypatch.setenv("HOVERSAM_MODEL", "large")
    monkeypatch.setenv("HOVERSAM_DEVICE", "cuda")
    monkeypatch.setenv("HOVERSAM_CHECKPOINT", "/elsewhere.pt")
    assert serve.main(parsed("--port", "0", "--model", "nano", "--offline", "--checkpoint", "/own.pt")) == 3
    [settings] = wanted
    assert (settings.model, settings.device, settings.offline) == ("nano", "cuda", True)
    assert settings.checkpoint == Path("/own.pt")


def test_without_options_the_variables_count(monkeypatch: pytest.MonkeyPatch, wanted: list[Settings]) -> None:
    monkeypatch.setenv("HOVERSAM_PORT", "0")
    monkeypatch.setenv("HOVERSAM_OFFLINE", "1")
    serve.main(parsed())
    assert (wanted[0].port, wanted[0].offline) == (0, True)


def test_no_model_is_one_line_and_exit_code_3(wanted: list[Settings], capsys: pytest.CaptureFixture[str]) -> None:
    assert serve.main(parsed("--port", "0")) == 3
    assert capsys.readouterr().err == "hoversam: error: no model here\n"


def test_a_taken_port_is_one_line_and_exit_code_2(
    wanted: list[Settings], taken_port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert serve.main(parsed("--port", taken_port)) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert f"can't listen on 127.0.0.1:{taken_port}" in line
    assert "--port" in line
    assert wanted == []


@pytest.mark.parametrize("port", ["-1", "65536", "99999999999"])
def test_a_port_that_can_not_be_is_one_line_and_exit_code_2(
    wanted: list[Settings], port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert serve.main(parsed("--port", port)) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("hoversam: error: --port: expected a whole number ")
    assert wanted == []


@pytest.mark.parametrize("host", ["no such host", "256.0.0.1", "192.0.2.1"])
def test_a_host_that_is_not_ours_is_one_line_and_exit_code_2(
    wanted: list[Settings], host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert serve.main(parsed("--host", host, "--port", "0")) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert host in line
    assert "--host" in line
    assert wanted == []


def test_a_bad_variable_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, wanted: list[Settings], capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOVERSAM_MAX_SESSIONS", "none")
    assert serve.main(parsed("--port", "0")) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "HOVERSAM_MAX_SESSIONS can't be 'none'" in line
    assert wanted == []


def test_a_shared_folder_that_can_not_be_used_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, wanted: list[Settings], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("HOVERSAM_SHARED_DIR", str(tmp_path / "file"))
    assert serve.main(parsed("--port", "0")) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "HOVERSAM_SHARED_DIR can't be used (Not a directory)" in line
    assert wanted == []


def test_a_variable_that_is_no_setting_is_told_and_the_server_starts(
    monkeypatch: pytest.MonkeyPatch, wanted: list[Settings], capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOVERSAM_MODLE", "tiny")
    monkeypatch.setenv("HOVERSAM_MODEL", "nano")
    serve.main(parsed("--port", "0"))
    told = [line for line in capsys.readouterr().err.splitlines() if "is no setting" in line]
    assert [line.split()[1] for line in told] == ["HOVERSAM_MODLE"]
    assert wanted[0].model == "nano"


def test_an_empty_host_does_not_open_the_server_to_the_network(
    monkeypatch: pytest.MonkeyPatch, wanted: list[Settings]
) -> None:
    monkeypatch.setenv("HOVERSAM_HOST", "")
    serve.main(parsed("--port", "0"))
    assert wanted[0].host == "127.0.0.1"
    assert serve.main(parsed("--port", "0", "--host", "")) == 2
    assert len(wanted) == 1


def test_a_port_of_ipv6_can_be_had() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    with serve.listen(Settings(host="::1", port=0), AppLimits()) as listener:
        assert listener.family == socket.AF_INET6
        assert serve.url_of(listener) == f"http://[::1]:{listener.getsockname()[1]}"


def test_messages_are_bounded_and_not_deflated() -> None:
    config = serve.server_config(Settings(), shrunk(max_message_bytes=1234, shutdown_timeout_s=7.0), None)
    assert (config.ws_max_size, config.ws_per_message_deflate) == (1234, False)
    assert (config.timeout_graceful_shutdown, config.server_header) == (7, False)


def test_a_reply_in_two_writes_does_not_wait_for_an_acknowledgement() -> None:
    with serve.listen(Settings(port=0), AppLimits()) as listener:
        listener.listen()
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            assert accepted.proto == socket.IPPROTO_TCP  # which is what asyncio sets TCP_NODELAY by
