"""Each limit has a test at its edge: three cases for what is counted, and a test by name for how long is waited."""

from __future__ import annotations

import ast
import inspect
from dataclasses import fields
from pathlib import Path

import pytest

from app.limits import AppLimits, limit_table
from app.settings import Settings

TESTS = Path(__file__).parent.parent
CASES = 3
"""One below, at it, one beyond."""
BOUNDS = "faults/test_bounds.py::"
BY_HAND = "unit/session/test_by_hand.py::"
CLIPS = "unit/clips/test_reading_clips.py::"
CLIP_STORE = "unit/service/test_clip_store.py::"
LIMITS = "faults/test_limits.py::"
ON_CLIPS = "unit/session/test_clips.py::"
COUNTED = {
    "max_upload_bytes": "unit/pictures/test_reading.py::test_bytes_are_taken_up_to_the_limit",
    "max_pixels": "unit/pictures/test_reading.py::test_sizes_are_taken_up_to_the_limit",
    "max_side": "unit/pictures/test_reading.py::test_sizes_are_taken_up_to_the_limit",
    "max_aspect": "unit/pictures/test_reading.py::test_sizes_are_taken_up_to_the_limit",
    "max_clip_frames": CLIPS + "test_frames_of_a_clip",
    "max_clip_s": CLIPS + "test_seconds_of_a_clip",
    "max_clip_pixels": CLIPS + "test_pixels_of_a_clip",
    "max_clip_bytes": CLIP_STORE + "test_bytes_of_a_clip",
    "max_inline_bytes": BOUNDS + "test_bytes_of_a_picture_in_a_message",
    "max_message_bytes": BOUNDS + "test_bytes_of_a_message",
    "max_prompt_bytes": LIMITS + "test_bytes_of_a_prompt",
    "max_sessions": LIMITS + "test_sessions",
    "max_sessions_per_address": LIMITS + "test_sessions_of_one_address",
    "max_connections": LIMITS + "test_connections",
    "max_messages_per_s": "unit/realtime/test_rate_limit.py::test_a_steady_stream_is_taken_up_to_the_rate",
    "max_messages_burst": LIMITS + "test_messages_at_once",
    "max_pings_per_s": LIMITS + "test_pings_of_a_second",
    "max_frames_per_s": BOUNDS + "test_frames_of_a_second",
    "max_fragments": LIMITS + "test_fragments_of_a_message",
    "max_write_buffer_bytes": BOUNDS + "test_bytes_that_wait_for_a_client_that_pings",
    "max_head_bytes": LIMITS + "test_bytes_of_a_head",
    "min_body_bytes_per_s": BOUNDS + "test_pace_of_a_body",
    "max_objects": BOUNDS + "test_objects_of_a_picture",
    "max_points": BOUNDS + "test_points_of_an_object",
    "max_strokes": BY_HAND + "test_strokes_of_an_object",
    "max_path_points": BY_HAND + "test_points_of_a_stroke",
    "max_paint": BY_HAND + "test_length_and_width_of_strokes",
    "max_trail_bytes": BY_HAND + "test_bytes_of_trails",
    "max_tracked_objects": ON_CLIPS + "test_objects_that_are_followed_at_once",
    "max_tracked_bytes": ON_CLIPS + "test_bytes_of_followed_masks",
    "max_history": BOUNDS + "test_steps_of_undo",
    "max_history_bytes": BOUNDS + "test_bytes_of_undo",
    "max_clicks_queued": BOUNDS + "test_changes_that_wait",
    "max_jobs_queued": BOUNDS + "test_jobs_that_wait",
    "max_pictures_queued": BOUNDS + "test_pictures_that_wait",
    "max_clips_queued": CLIP_STORE + "test_clips_that_wait",
    "max_clip_memory_bytes": CLIP_STORE + "test_bytes_of_all_frames",
    "max_clip_disk_bytes": CLIP_STORE + "test_bytes_of_all_files",
    "max_replies_waiting": BOUNDS + "test_replies_that_wait",
    "max_bad_messages": BOUNDS + "test_bad_messages_in_a_row",
    "image_budget_bytes": BOUNDS + "test_bytes_of_all_pictures",
    "model_budget_bytes": BOUNDS + "test_bytes_of_all_models",
    "max_export_bytes": BOUNDS + "test_bytes_of_a_file",
    "max_exports_queued": BOUNDS + "test_files_that_wait",
    "max_window_bytes": "unit/service/test_windows.py::test_windows_of_many_people_stay_within_their_bound",
    "max_decoded_bytes": "unit/service/test_windows.py::test_a_picture_stays_decoded_up_to_the_bound",
    "max_shared_pictures": "unit/service/test_bounded_folder.py::test_files_are_kept_up_to_the_bound",
}
WAITED = {
    "hello_timeout_s": "integration/test_sessions.py::test_no_hello_in_time_closes",
    "head_timeout_s": LIMITS + "test_the_head_has_its_time",
    "body_timeout_s": LIMITS + "test_the_body_has_its_time",
    "rate_grace_s": "unit/realtime/test_rate_limit.py::test_who_goes_on_for_the_grace_is_not_heard_any_more",
    "ping_interval_s": "faults/test_network.py::freezes",
    "ping_timeout_s": "faults/test_network.py::freezes",
    "blocked_loop_s": "integration/test_metrics.py::test_a_blocked_event_loop_is_seen",
    "idle_timeout_s": "integration/test_sessions.py::test_an_idle_session_is_closed_and_can_be_taken_up",
    "resume_s": "faults/test_server.py::test_sessions_are_forgotten_without_anyone_coming",
    "shared_picture_s": "unit/service/test_bounded_folder.py::test_a_file_that_nobody_asks_for_gets_too_old",
    "shared_timeout_s": "unit/service/test_shared_folder.py::test_a_folder_that_hangs_keeps_nobody",
    "picture_timeout_s": "unit/service/test_picture_store.py::test_a_picture_that_takes_too_long_is_given_up",
    "clip_timeout_s": "unit/clips/test_decoding.py::test_a_decoder_that_hangs_is_ended",
    "clip_export_timeout_s": (
        "unit/service/test_exporter.py::test_a_file_of_a_clip_that_takes_too_long_is_given_up_at_the_next_frame"
    ),
    "hover_timeout_s": "unit/service/test_scheduler.py::test_a_job_that_waits_too_long_is_given_up_and_never_done",
    "click_timeout_s": "unit/service/test_scheduler.py::test_a_job_that_waits_too_long_is_given_up_and_never_done",
    "encode_timeout_s": "unit/service/test_scheduler.py::test_a_job_that_waits_too_long_is_given_up_and_never_done",
    "conversion_timeout_s": "unit/engine/openvino/test_hot_swap.py::test_a_conversion_that_takes_too_long_is_ended",
    "load_timeout_s": (
        "unit/service/test_model_pool.py::test_a_load_that_takes_too_long_is_given_up_and_the_next_model_is_loaded"
    ),
    "export_timeout_s": "unit/service/test_exporter.py::test_a_file_that_takes_too_long_is_given_up_at_the_next_object",
    "send_timeout_s": "integration/test_slow_clients.py::test_a_client_that_does_not_read_its_answers_is_cut_off",
    "shutdown_timeout_s": "faults/test_server.py::test_a_click_that_never_ends_does_not_keep_the_server",
}
NO_BOUND = {"speck_share"}
"""A share of a mask, which nobody can go beyond."""


def function_named(name: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    """Return a function of the tests; fails where there is none."""
    file, wanted = name.split("::")
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    found = [node for node in tree.body if getattr(node, "name", "") == wanted]
    assert found, f"expected a test {name}"
    assert isinstance(found[0], (ast.FunctionDef, ast.AsyncFunctionDef))
    return found[0]


def cases_of(name: str) -> int:
    """Return how many cases a test has by its decorators, also where one stands for several tests of the file."""
    file, _ = name.split("::")
    text = (TESTS / file).read_text(encoding="utf-8")
    shared = {
        node.targets[0].id: node.value
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    decorators = [shared.get(getattr(each, "id", ""), each) for each in function_named(name).decorator_list]
    lists = [each.args[1] for each in decorators if isinstance(each, ast.Call) and len(each.args) > 1]
    return max((len(each.elts) for each in lists if isinstance(each, ast.List)), default=1)


def test_every_limit_has_a_test() -> None:
    assert {limit.name for limit in limit_table(Settings(), AppLimits())} == COUNTED.keys() | WAITED.keys() | NO_BOUND


def test_every_limit_that_is_no_setting_has_its_reason_below_it() -> None:
    said: dict[str, bool] = {}
    for part in fields(AppLimits):
        [made] = ast.parse(inspect.getsource(type(getattr(AppLimits(), part.name)))).body
        assert isinstance(made, ast.ClassDef)
        for line, below in zip(made.body, [*made.body[1:], None], strict=True):
            if isinstance(line, ast.AnnAssign):
                said[ast.unparse(line.target)] = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
    assert len(said) > 30
    assert {name for name, has_reason in said.items() if not has_reason} == set()


@pytest.mark.parametrize("name", COUNTED)
def test_what_is_counted_is_tried_below_at_and_beyond(name: str) -> None:
    assert cases_of(COUNTED[name]) >= CASES


@pytest.mark.parametrize("name", WAITED)
def test_what_is_waited_for_is_tried(name: str) -> None:
    function_named(WAITED[name])
