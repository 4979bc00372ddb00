"""What can go wrong with a device, in one sentence that says what to do."""

__all__ = ["DeviceError"]


class DeviceError(RuntimeError):
    """A device that cannot be found, reached or used, or a run on it that failed."""
