"""Makes sigmoid.json with PyTorch: losses of overlapping regions and their gradients with respect to the logits.

Run in this folder: python3 make_sigmoid.py
"""
import json

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

SHAPE, REGIONS, IGNORED = [2, 3, 2, 3, 4], [[1, 2, 3], [2, 3], [3]], 9
WEIGHTS = [1.0, 2.0, 0.5]


def dice(logits, targets, counted):
    """1 - the mean soft Dice of the regions, with 1 added above and below."""
    losses = []
    for region in range(len(REGIONS)):
        p, t = logits[:, region][counted].sigmoid(), targets[:, region][counted]
        losses.append(1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1))
    return torch.stack(losses).mean()


if __name__ == "__main__":
    torch.manual_seed(6)
    logits = (3 * torch.randn(SHAPE, dtype=torch.double)).requires_grad_()
    labels = torch.randint(0, 4, [SHAPE[0]] + SHAPE[2:])
    labels[torch.rand(labels.shape) < 0.2] = IGNORED
    counted = labels != IGNORED
    targets = torch.stack([torch.isin(labels, torch.tensor(region)) for region in REGIONS], 1).double()
    losses = {}
    weights = torch.tensor(WEIGHTS, dtype=torch.double)[None, :, None, None, None].expand(SHAPE)
    for name, weight in [("cross-entropy", torch.ones(SHAPE, dtype=torch.double)), ("weighted cross-entropy", weights)]:
        single = binary_cross_entropy_with_logits(logits, targets, weight, reduction="none")
        mask = counted[:, None].expand(SHAPE)
        losses[name] = single[mask].sum() / weight[mask].sum()
    losses["dice"] = dice(logits, targets, counted)
    found = {name: {"loss": loss.item(), "gradient": torch.autograd.grad(loss, logits)[0].flatten().tolist()}
             for name, loss in losses.items()}
    json.dump({"shape": SHAPE, "regions": REGIONS, "ignored": IGNORED, "weights": WEIGHTS,
               "logits": logits.flatten().tolist(), "labels": labels.flatten().tolist(), "losses": found},
              open("sigmoid.json", "w"))
