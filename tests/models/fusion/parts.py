"""Two questions and the patches of their images, for every fusion."""

import torch


def question_parts():
    """Patches ``(2, 5, 8)``, question vectors ``(2, 3, 8)`` and their mask."""
    torch.manual_seed(1)
    mask = torch.tensor([[True, True, False], [True, True, True]])
    return torch.randn(2, 5, 8), torch.randn(2, 3, 8), mask


def fused(fusion, patches, question, mask):
    """Tokens of questions that each have an image of their own."""
    return fusion(patches, None, question, mask).tokens
