"""The constants of surrogate gradients, which change as the training goes on."""


def set_schedule(network, progress):
    """Those for a share of the training, in all binary convolutions."""
    for module in network.modules():
        if hasattr(module, "set_progress"):
            module.set_progress(progress)
