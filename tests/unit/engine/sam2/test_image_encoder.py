"""The encoder laid out by windows gives what sam2's own encoder gives, on small models of each window scheme."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from sam2.modeling.backbones.hieradet import Hiera
from sam2.modeling.backbones.image_encoder import FpnNeck, ImageEncoder
from sam2.modeling.position_encoding import PositionEmbeddingSine
from torch import Tensor, nn
from torch.testing import assert_close

from app.engine.sam2.image_encoder import WindowedEncoder, has_nested_windows, nested, pooled
from app.engine.sam2.mask_decoder import nest_once, nest_twice

SIDE = 256
WIDTH = 32


def trunk(**changed: Any) -> Hiera:
    """Return a small Hiera with random weights."""
    torch.manual_seed(3)
    own: dict[str, Any] = {
        "embed_dim": 8,
        "num_heads": 1,
        "stages": (1, 2, 3, 2),
        "global_att_blocks": (5,),
        "window_pos_embed_bkg_spatial_size": (7, 7),
    }
    made = Hiera(**(own | changed))
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.2)
    return made.eval()


def model(made: Hiera) -> Any:
    """Return a trunk with a neck and the decoder's first convolutions, as SAM2Base holds them."""
    position = PositionEmbeddingSine(WIDTH, normalize=True, temperature=10_000)
    neck = FpnNeck(position, WIDTH, made.channel_list, fpn_top_down_levels=[2, 3], fpn_interp_model="nearest").eval()
    return SimpleNamespace(
        image_size=SIDE,
        image_encoder=ImageEncoder(made, neck, scalp=1).eval(),
        sam_mask_decoder=SimpleNamespace(
            conv_s0=nn.Conv2d(WIDTH, WIDTH // 8, 1), conv_s1=nn.Conv2d(WIDTH, WIDTH // 4, 1)
        ),
        directly_add_no_mem_embed=True,
        no_mem_embed=torch.randn(1, 1, WIDTH),
    )


def features(sam: Any, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return tokens, fine and middle features by sam2's modules."""
    fine, middle, coarse = sam.image_encoder(pixels)["backbone_fpn"]
    grid = (SIDE // 16, SIDE // 16)
    return (
        coarse.flatten(2).transpose(1, 2) + sam.no_mem_embed,
        nest_twice(sam.sam_mask_decoder.conv_s0(fine), grid),
        nest_once(sam.sam_mask_decoder.conv_s1(middle), grid),
    )


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"window_spec": (8, 4, 14, 7)}, id="windows that need padding"),
        pytest.param({"window_spec": (8, 4, 16, 8)}, id="windows that fit"),
        pytest.param({"stages": (2, 3, 4, 3), "global_att_blocks": (6, 7), "num_heads": 2}, id="deeper, two heads"),
        pytest.param({"global_att_blocks": (5, 7)}, id="a last stage that looks everywhere"),
    ],
)
def test_features_equal_those_of_sam2(changed: dict[str, Any]) -> None:
    sam = model(trunk(**changed))
    pixels = torch.randn(1, 3, SIDE, SIDE)
    with torch.inference_mode():
        expected = features(sam, pixels)
        found = WindowedEncoder(sam).eval()(pixels)
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"window_spec": (7, 4, 14, 7)}, id="fine windows of another size"),
        pytest.param({"global_att_blocks": (1,)}, id="a fine stage that looks everywhere"),
        pytest.param({"global_att_blocks": (6,)}, id="a block that looks everywhere and pools"),
        pytest.param({"q_pool": 2}, id="a stage that isn't pooled"),
    ],
)
def test_another_scheme_keeps_to_the_modules_of_sam2(changed: dict[str, Any]) -> None:
    assert has_nested_windows(trunk())
    assert not has_nested_windows(trunk(**changed))
    assert not has_nested_windows(nn.Identity())


def test_pooling_in_nested_order_is_pooling_two_by_two() -> None:
    square = torch.randn(16, 16, 5)
    pooled_square = nn.functional.max_pool2d(square.permute(2, 0, 1), 2).permute(1, 2, 0)
    doubled = pooled_square.repeat_interleave(2, 0).repeat_interleave(2, 1)
    assert torch.equal(pooled(nested(square)), pooled(nested(doubled)))
    assert nested(square).shape == (4, 64, 5)
