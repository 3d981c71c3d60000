"""Makes optimisers.json: four steps of each optimiser of PyTorch on twelve weights, in float64.

Run in this folder, where torch is installed: python3 make_optimisers.py
"""
import json

import torch

torch.manual_seed(3)
RATE, DECAY = 0.01, 0.1
OPTIMISERS = {
    "sgd(momentum=0.9)": lambda p: torch.optim.SGD(p, RATE, momentum=0.9, weight_decay=DECAY),
    "sgd(momentum=0)": lambda p: torch.optim.SGD(p, RATE, weight_decay=DECAY),
    "nesterov(momentum=0.99)": lambda p: torch.optim.SGD(p, RATE, momentum=0.99, nesterov=True, weight_decay=DECAY),
    "adam": lambda p: torch.optim.Adam(p, RATE, weight_decay=DECAY),
    "adam(beta1=0.8,beta2=0.9,epsilon=0.01)": lambda p: torch.optim.Adam(p, RATE, (0.8, 0.9), 0.01, DECAY),
    "adamw": lambda p: torch.optim.AdamW(p, RATE, weight_decay=DECAY),
    "rmsprop": lambda p: torch.optim.RMSprop(p, RATE, weight_decay=DECAY),
    "rmsprop(alpha=0.9,epsilon=0.01,momentum=0.5)": lambda p: torch.optim.RMSprop(
        p, RATE, 0.9, 0.01, DECAY, momentum=0.5),
}

start = torch.randn(12)
gradients = [torch.randn(12) * 10.0 ** torch.randint(-3, 2, (12,)) for _ in range(4)]
steps = {}
for name, optimiser in OPTIMISERS.items():
    weights = start.double().clone().requires_grad_()
    rule = optimiser([weights])
    steps[name] = []
    for gradient in gradients:
        weights.grad = gradient.double()
        rule.step()
        steps[name].append(weights.detach().tolist())
with open("optimisers.json", "w") as file:
    json.dump({"rate": RATE, "decay": DECAY, "start": start.tolist(),
               "gradients": [gradient.tolist() for gradient in gradients], "steps": steps}, file, indent=0)
    file.write("\n")
