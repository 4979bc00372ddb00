"""One training step of ResNet-20 beside the same step in PyTorch.

The PyTorch network is IR-Net's, written from the paper: Libra-PB for weights, EDE for
weights and activations, Bi-Real blocks; SGD with momentum and coupled weight decay.
"""

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
import torch
from torch import nn
from torch.nn import functional

import zoo
from zoo.torch_sgd import TorchSGD

__all__ = ["StepTimes", "measure_torch_training_step"]

_BATCH = 128
_THREADS = 2
_WARM_UP_STEPS = 3
_STEPS_PER_TURN = 5
_PAUSE_SECONDS = 0.5  # lets the other library's threads go to sleep
_LEARNING_RATE = 0.1
_WEIGHT_DECAY = 1e-4

_STAGES = ((16, 16, 1), (16, 32, 2), (32, 64, 2))  # channels in, channels out, stride
_BLOCKS_PER_STAGE = 3


@dataclass(frozen=True)
class StepTimes:
    """Median seconds of one step of 128 images.

    # Attributes
        ours: In Keras.
        torch: In PyTorch, with contiguous tensors (NCHW).
        torch_channels_last: In PyTorch, with the channels last (NHWC).
    """

    ours: float
    torch: float
    torch_channels_last: float

    @property
    def fastest_torch(self) -> float:
        """In the faster one of PyTorch's layouts."""
        return min(self.torch, self.torch_channels_last)


class _EDESign(torch.autograd.Function):
    @staticmethod
    def forward(context, x, t, k):
        context.save_for_backward(x, t, k)
        return torch.sign(x)

    @staticmethod
    def backward(context, gradient):
        x, t, k = context.saved_tensors
        return k * t * (1 - torch.tanh(t * x).square()) * gradient, None, None


class _BinaryConv(nn.Conv2d):
    def __init__(self, channels_in: int, channels_out: int, stride: int):
        super().__init__(channels_in, channels_out, 3, stride, 1, bias=False)
        self.t, self.k = torch.tensor(0.1), torch.tensor(10.0)

    def forward(self, x):
        axes = (1, 2, 3)
        centred = self.weight - self.weight.mean(axes, keepdim=True)
        standardized = centred / centred.std(axes, keepdim=True)
        with torch.no_grad():
            magnitude = standardized.abs().mean(axes, keepdim=True)
            scale = torch.exp2(torch.round(torch.log2(magnitude)))
        kernel = _EDESign.apply(standardized, self.t, self.k) * scale
        signs = _EDESign.apply(x, self.t, self.k)
        return functional.conv2d(signs, kernel, stride=self.stride, padding=1)


class _BiRealBlock(nn.Module):
    def __init__(self, channels_in: int, channels_out: int, stride: int):
        super().__init__()
        self.conv1 = _BinaryConv(channels_in, channels_out, stride)
        self.bn1 = nn.BatchNorm2d(channels_out)
        self.conv2 = _BinaryConv(channels_out, channels_out, 1)
        self.bn2 = nn.BatchNorm2d(channels_out)
        self.missing = (channels_out - channels_in) // 2

    def shortcut(self, x):
        if not self.missing:
            return x
        padding = (0, 0, 0, 0, self.missing, self.missing)
        return functional.pad(x[:, :, ::2, ::2], padding)

    def forward(self, x):
        x = functional.hardtanh(self.bn1(self.conv1(x)) + self.shortcut(x))
        return functional.hardtanh(self.bn2(self.conv2(x)) + x)


def _torch_resnet20() -> nn.Module:
    blocks = [
        _BiRealBlock(
            channels_out if number else channels_in,
            channels_out,
            1 if number else stride,
        )
        for channels_in, channels_out, stride in _STAGES
        for number in range(_BLOCKS_PER_STAGE)
    ]
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1, bias=False),
        nn.BatchNorm2d(16),
        nn.Hardtanh(),
        *blocks,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.BatchNorm1d(64),
        nn.Linear(64, 10),
    )


def _torch_step(
    images: np.ndarray, labels: np.ndarray, memory_format: torch.memory_format
) -> Callable[[], None]:
    network = _torch_resnet20()
    network.to(memory_format=memory_format)  # type: ignore[call-overload]
    inputs = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
    inputs = inputs.to(memory_format=memory_format)
    targets = torch.from_numpy(labels)
    optimizer = torch.optim.SGD(
        network.parameters(), _LEARNING_RATE, momentum=0.9, weight_decay=_WEIGHT_DECAY
    )

    def step() -> None:
        optimizer.zero_grad()
        loss = functional.cross_entropy(network(inputs), targets)
        loss.backward()
        optimizer.step()
        if not math.isfinite(loss.item()):
            raise RuntimeError("Expected a finite loss of the PyTorch network.")

    return step


def _our_step(images: np.ndarray, labels: np.ndarray) -> Callable[[], None]:
    model = zoo.ResNet20("irnet")
    model.compile(
        TorchSGD(_LEARNING_RATE, momentum=0.9, weight_decay=_WEIGHT_DECAY),
        tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    batches = iter(tf.data.Dataset.from_tensors((images, labels)).repeat())
    step = model.make_train_function()
    return lambda: step(batches)


def measure_torch_training_step(turns: int = 5) -> StepTimes:
    """Trains in turns, on two threads each, on the same 32x32 images.

    # Arguments
        turns: Turns of five steps for each of the three.
    """
    torch.set_num_threads(_THREADS)
    generator = np.random.default_rng(0)
    images = generator.standard_normal((_BATCH, 32, 32, 3), np.float32)
    labels = generator.integers(0, 10, _BATCH)
    steps = {
        "ours": _our_step(images, labels),
        "torch": _torch_step(images, labels, torch.contiguous_format),
        "torch_channels_last": _torch_step(images, labels, torch.channels_last),
    }
    for step in steps.values():
        for _ in range(_WARM_UP_STEPS):
            step()
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(turns):
        for name, step in steps.items():
            time.sleep(_PAUSE_SECONDS)
            for _ in range(_STEPS_PER_TURN):
                start = time.perf_counter()
                step()
                seconds[name].append(time.perf_counter() - start)
    return StepTimes(
        **{name: statistics.median(each) for name, each in seconds.items()}
    )
