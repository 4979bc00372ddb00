"""Exports that several tests look at, made once: a conversion takes seconds."""

import numpy as np
import pytest

import tflite_export
from tests.tflite_export import networks
from tflite_export.conversion import convert
from tflite_export.flatbuffer import Flatbuffer


@pytest.fixture(scope="session")
def residual_model():
    return networks.residual_network()


@pytest.fixture(scope="session")
def residual_samples(residual_model):
    generator = np.random.default_rng(1)
    images = generator.normal(size=(40, 8, 8, 3)).astype(np.float32)
    return images, residual_model.predict(images, verbose=0).argmax(-1)


@pytest.fixture(scope="session")
def exported_residual(residual_model, residual_samples, tmp_path_factory):
    images, labels = residual_samples
    path = tmp_path_factory.mktemp("residual") / "model.tflite"
    return tflite_export.export(residual_model, path, samples=images, labels=labels)


@pytest.fixture(scope="session")
def converted_residual(residual_model):
    return Flatbuffer(convert(residual_model))
