import pytest
import torch

from latentvqa.models.vision.grid import grid_of, grid_positions, pooled


@pytest.mark.parametrize(
    ("patches", "grid"), [(1, (1, 1)), (16, (4, 4)), (15, (1, 15)), (197, (1, 197))]
)
def test_patches_fill_a_square_or_one_row(patches, grid):
    assert grid_of(patches) == grid


def test_cells_of_unequal_size_each_give_their_mean():
    patches = torch.arange(9.0).view(1, 9, 1)  # 3 x 3; cells of two overlap in the middle
    assert pooled(patches, 2).flatten().tolist() == [2.0, 3.0, 5.0, 6.0]


def test_patches_that_form_no_larger_square_are_kept():
    for count, side in ((15, 2), (4, 2), (4, 3)):
        patches = torch.randn(2, count, 3)
        assert pooled(patches, side) is patches


def test_positions_tell_rows_and_columns_from_a_straight_line_of_their_values():
    positions = grid_positions((5, 5), 12)
    assert float(positions.mean(0).abs().max()) < 1e-6  # nothing that all patches share
    assert float(positions.square().mean().sqrt()) == pytest.approx(0.5, rel=1e-4)
    for place in (torch.arange(5).repeat_interleave(5), torch.arange(5).repeat(5)):
        wanted = (place - 2.0)[:, None]
        weights = torch.linalg.lstsq(positions, wanted).solution
        torch.testing.assert_close(positions @ weights, wanted, rtol=0, atol=1e-3)


def test_the_positions_of_many_patches_differ():
    positions = grid_positions((8, 8), 12)
    assert float((torch.cdist(positions, positions) + 10 * torch.eye(64)).min()) > 0.01


def test_one_patch_has_no_position():
    assert not grid_positions((1, 1), 12).any()
