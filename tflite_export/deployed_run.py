"""The models of a finished and exported run, to be measured on a device."""

from dataclasses import dataclass
from pathlib import Path

from larq_irnet import methods
from larq_irnet.atomic_path import atomic_path
from tflite_export.deployed_files import Samples, named_models
from tflite_export.device import MeasuredModel
from tflite_export.device.output_check import random_samples
from tflite_export.exporting import export
from tflite_export.rewrites import in_float32
from tflite_export.twins import FLOAT_TWIN, convert_twins
from zoo.datasets import ImageDataset
from zoo.evaluation import dataset_of
from zoo.workdir import Workdir, WorkdirError

__all__ = ["DeployedRun"]

_BINARY, _FLOAT_TWIN, _INT8 = "model.tflite", "float_twin.tflite", "model_int8.tflite"


@dataclass(frozen=True)
class DeployedRun:
    """model.tflite of a run, beside its float twin and the same with int8.

    # Attributes
        folder: That of the run.
        float_model: A float twin in place of the run's own.
        int8_model: A model with int8 in place of the run's own.
        float_twin: Whether to convert the float twin if need be.
        int8: Whether to export the run in int8 if need be.
        calibration_samples: Training images to measure the ranges of int8 on.
        random_images: Compare outputs on noise, not on test images.
        data_dir: Where tensorflow-datasets keeps its data.
    """

    folder: Path
    float_model: Path | None = None
    int8_model: Path | None = None
    float_twin: bool = True
    int8: bool = False
    calibration_samples: int = 200
    random_images: bool = False
    data_dir: str | None = None

    @property
    def title(self) -> str:
        """Network, method and dataset."""
        config = self._workdir.config()
        method = methods.get(config.method).title
        return f"{config.network}, {method}, on {config.dataset}"

    def models(self) -> list[MeasuredModel]:
        """The models that there are or will be.

        # Raises
            ValueError: if the run is not exported, or a file that was named is missing.
            WorkdirError: if it is not finished.
        """
        self._check_exported()
        int8 = self.int8 or self._is_kept(self._own_int8)
        models = named_models(
            self.float_model or (self._own_twin if self.float_twin else None),
            self._binary,
            self.int8_model or (self._own_int8 if int8 else None),
        )
        for model in models:
            if not self._is_to_make(model.path):
                model.read()
        return models

    def prepare(self) -> None:
        """Converts the float twin, and exports in int8, unless they are kept."""
        missing = [one.path for one in self.models() if self._is_to_make(one.path)]
        if self._own_twin in missing:
            model = in_float32(self._workdir.model(), name="m")
            content = convert_twins(model)[FLOAT_TWIN]
            with atomic_path(self._own_twin) as partial:
                partial.write_bytes(content)
        if self._own_int8 in missing:
            limit = self.calibration_samples
            images, _ = self._dataset().arrays("train", limit=limit)
            export(
                self._workdir.model(),
                self._own_int8,
                calibration_data=images,
                benchmark=False,
            )

    def samples(self, count: int) -> Samples:
        """The first test images, or noise."""
        flatbuffer = MeasuredModel("binary", self._binary).read()
        if self.random_images or len(flatbuffer.inputs) > 1:
            return Samples(random_samples(flatbuffer, count), "random images")
        images, _ = self._dataset().arrays("test", limit=count)
        return Samples([images], "test images")

    @property
    def _workdir(self) -> Workdir:
        return Workdir(self.folder)

    @property
    def _binary(self) -> Path:
        return self.folder / _BINARY

    @property
    def _own_twin(self) -> Path:
        return self.folder / _FLOAT_TWIN

    @property
    def _own_int8(self) -> Path:
        return self.folder / _INT8

    def _check_exported(self) -> None:
        if self._binary.is_file():
            return
        if not (self.folder / "model.keras").is_file():
            self._workdir.model()  # says what is missing
        raise WorkdirError(
            f"Expected an exported run in {self.folder}, found no {_BINARY}. Export "
            f"it first: `python -m tflite_export.export --workdir={self.folder}`."
        )

    def _is_to_make(self, path: Path) -> bool:
        is_own = path in (self._own_twin, self._own_int8)
        return is_own and not self._is_kept(path)

    def _is_kept(self, path: Path) -> bool:
        """Whether a model was made of the weights that the run has now."""
        trained = self.folder / "model.keras"
        return path.is_file() and (
            not trained.exists() or path.stat().st_mtime >= trained.stat().st_mtime
        )

    def _dataset(self) -> ImageDataset:
        dataset = dataset_of(self._workdir.config(), self.data_dir)
        dataset.check_prepared()
        return dataset
