import torch

from latentvqa.models.fusion.fused import of_each_question


def test_what_belongs_to_images_is_repeated_for_their_questions():
    of_images = torch.tensor([[1.0], [2.0]])
    index = torch.tensor([1, 0, 1])
    assert of_each_question(of_images, index).tolist() == [[2.0], [1.0], [2.0]]
    assert of_each_question(of_images, None) is of_images
