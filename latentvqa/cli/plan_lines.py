"""The plan of a training as lines: what ``train --dry-run`` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from latentvqa.core.figures import counted

if TYPE_CHECKING:
    from latentvqa.engine.runtime.observer import TrainingPlan


def plan_lines(plan: TrainingPlan, seconds: float) -> list[str]:
    """The plan of a dry run, line by line."""
    frozen = "never"
    if plan.frozen_epochs >= plan.epochs:
        frozen = "in every epoch"
    elif plan.frozen_epochs:
        frozen = f"epochs 0-{plan.frozen_epochs - 1}, trainable from epoch {plan.frozen_epochs}"
    free_bits = f"{plan.free_bits:g} nats per latent token"
    if plan.free_bits_origin:
        free_bits = f"auto: {plan.free_bits_origin} nats per latent token"
    lines = [
        f"questions           {plan.train_questions:,} on {counted(plan.train_images, 'image')}",
        f"validation          {plan.val_questions:,} on {counted(plan.val_images, 'image')}",
        f"answer entropy      {plan.answer_entropy:.3f} nats",
        f"patches per image   {plan.patches}",
        f"device              {plan.device}, {plan.precision}",
        f"memory              {plan.memory / 1e9:,.2f} GB for weights, gradients and moments",
        f"steps               {plan.steps_per_epoch:,} per epoch x "
        f"{counted(plan.epochs, 'epoch')} = {plan.steps:,}, "
        f"of {counted(plan.batch_size, 'question')} each",
        f"backbone frozen     {frozen}",
        f"KL weight           {plan.effective_weight:g} effective {plan.kl_schedule}",
        f"free_bits           {free_bits}",
        f"beta                {plan.beta:.3g} per nat of rate",
        "",
        f"{'component':<12}{'parameters':>14}{'peak rate':>12}",
    ]
    for name, count in plan.parameters.items():
        lines.append(f"{name:<12}{count:>14,}{plan.peak_rates[name]:>12.1e}")
    lines += [f"{'total':<12}{sum(plan.parameters.values()):>14,}", ""]
    lines.append(f"estimated duration  {duration(seconds)}")
    return lines


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 600:
        return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
