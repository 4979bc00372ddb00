"""What can go wrong with a device, in one sentence that says what to do."""

__all__ = ["DeviceError", "RunError"]


class DeviceError(RuntimeError):
    """A device that cannot be found, reached or used, or a run on it that failed."""


class RunError(DeviceError):
    """A run that failed, or printed something else, on a device that is still there."""
