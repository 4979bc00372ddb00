"""ResNet-20 in NumPy and float64, written from the papers and not from the package.

Two geometries: "tensorflow" pads as little as possible, at the end if it is odd;
"torch" pads one pixel on every side and lets strided windows begin there.
"""

import numpy as np

EPSILON = 1e-5


def padding(size, stride, geometry):
    """Pixels in front of and behind an axis, for a window of three."""
    if geometry == "torch":
        return 1, 1
    total = max((-(-size // stride) - 1) * stride + 3 - size, 0)
    return total // 2, total - total // 2


def conv(x, kernel, stride=1, *, geometry="tensorflow", value=0.0):
    """A 3x3 convolution, [N, H, W, C_in] by [3, 3, C_in, C_out]."""
    pads = [padding(size, stride, geometry) for size in x.shape[1:3]]
    padded = np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=value)
    rows, columns = ((size - 3) // stride + 1 for size in padded.shape[1:3])
    return sum(
        padded[:, i : i + stride * rows : stride, j : j + stride * columns : stride]
        @ kernel[i, j]
        for i in range(3)
        for j in range(3)
    )


def option_a(x, filters):
    """Every second pixel from the first on, zeros on both sides of the channels."""
    quarter = (filters - x.shape[-1]) // 2
    return np.pad(x[:, ::2, ::2], [(0, 0), (0, 0), (0, 0), (quarter, quarter)])


def pooled_option_a(x, filters):
    """The mean of 2x2 pixels of an image of even sizes, zeros on both sides."""
    quarter = (filters - x.shape[-1]) // 2
    mean = np.mean([x[:, i::2, j::2] for i in (0, 1) for j in (0, 1)], axis=0)
    return np.pad(mean, [(0, 0), (0, 0), (0, 0), (quarter, quarter)])


def sign(x):
    return np.where(x < 0, -1.0, 1.0)


def libra_pb(kernel):
    centred = kernel - kernel.mean((0, 1, 2))
    standardized = centred / centred.std((0, 1, 2), ddof=1)
    exponent = np.round(np.log2(np.abs(standardized).mean((0, 1, 2))))
    return sign(standardized) * 2.0**exponent


def recu(kernel):
    return sign(kernel - kernel.mean((0, 1, 2)))


def batch_norm(x, weights):
    gamma, beta, mean, variance = weights
    return gamma * (x - mean) / np.sqrt(variance + EPSILON) + beta


def hard_tanh(x):
    return np.clip(x, -1.0, 1.0)


def half_block(x, kernel, batch_norm_weights, stride=1, scale=None, **geometry):
    """y = act(BN(conv(x)) + shortcut(x)), with IR-Net's binary convolution.

    With ReCU's convolution and shortcut if there is a scale for each channel.
    """
    filters = kernel.shape[-1]
    halved, binary = (option_a, libra_pb) if scale is None else (pooled_option_a, recu)
    shortcut = x if x.shape[-1] == filters else halved(x, filters)
    y = conv(sign(x), binary(kernel), stride, **geometry)
    y = y if scale is None else y * scale
    return hard_tanh(batch_norm(y, batch_norm_weights) + shortcut)


def rotate_images(images):
    return images[:, ::-1, ::-1]  # [N, H, W, C]


def rotate_kernel(kernel):
    return kernel[::-1, ::-1]  # [H, W, C_in, C_out]


def resnet20(images, weights, *, geometry="tensorflow", value=0.0):
    """Logits.

    `weights` gives the weights of a layer by its name: kernels of convolutions,
    [gamma, beta, mean, variance] of batch norms, kernel and bias of the classifier. The
    network is ReCU's if they have scales of channels, else IR-Net's.
    """
    x = conv(images, weights["stem_conv"][0], geometry=geometry)
    x = hard_tanh(batch_norm(x, weights["stem_bn"]))
    for stage in (1, 2, 3):
        for block in (1, 2, 3):
            for index in (1, 2):
                name = f"stage{stage}_block{block}_conv{index}"
                x = half_block(
                    x,
                    weights[name][0],
                    weights[f"{name}_bn"],
                    stride=2 if stage > 1 and (block, index) == (1, 1) else 1,
                    scale=weights.get(f"{name}_scale", [None])[0],
                    geometry=geometry,
                    value=value,
                )
    x = batch_norm(x.mean((1, 2)), weights["head_bn"])
    kernel, bias = weights["logits"]
    return x @ kernel + bias
