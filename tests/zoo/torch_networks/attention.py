"""IR2Net's information restriction in PyTorch."""

import torch
import torch.nn.functional as F

THRESHOLD = 0.15


def attention(features, size, *, normalize="column"):
    """How strongly features answer to each pixel, [N, H, W]."""
    answers = features.pow(2).mean(1)  # [N, h, w]
    if normalize == "column":
        answers = F.normalize(answers, dim=1)
    else:
        answers = F.normalize(answers.flatten(1), dim=1).view_as(answers)
    return F.interpolate(
        answers[:, None], size=size, mode="bilinear", align_corners=True
    )[:, 0]


def attention_erase(images, features, *, threshold=THRESHOLD, normalize="column"):
    """Images in which only what features answer to is left."""
    answers = attention(features, images.shape[2:], normalize=normalize)
    least = threshold * answers.mean((1, 2), keepdim=True)
    mask = torch.where(answers > least, 1.0, 0.0).to(images.dtype)
    return images * mask[:, None].detach()


def restricted_loss(network, loss, images, *, threshold=THRESHOLD, on_erased=None):
    """The mean of the losses of whole and of restricted images, and the whole's logits.

    `loss` takes logits, `on_erased` the restricted images.
    """
    logits = network(images)
    erased = attention_erase(images, network.restricting, threshold=threshold)
    if on_erased:
        on_erased(erased)
    return (loss(logits) + loss(network(erased))) / 2, logits
