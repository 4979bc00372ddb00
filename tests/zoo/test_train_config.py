import dataclasses
import functools
import json
import math

import hypothesis.strategies as st
import pytest
import tensorflow as tf
from hypothesis import given

import larq_irnet as irnet
from tests.zoo.small_network import small_config
from zoo.setting_checks import PRECISIONS
from zoo.train_config import TrainConfig

_builds = functools.partial(
    st.builds,
    TrainConfig,
    network=st.just("ResNet20"),
    method=st.sampled_from(irnet.methods.names()),
    dataset=st.just("digits"),
    epochs=st.integers(1, 10**6),
    batch_size=st.integers(1, 1197),
    learning_rate=st.floats(1e-300, 1e300),
    learning_rate_schedule=st.sampled_from(["cosine", "constant"]),
    network_options=st.sampled_from([{}, {"block": "normal"}]),
    warmup_epochs=st.floats(0, 0.99),
    warmup_learning_rate=st.floats(0, 1e300),
    synchronized_batch_norm=st.booleans(),
    pad_values=st.sampled_from([0.0, 1.0]),
    alignment=st.sampled_from(["tensorflow", "torch"]),
    estimator_update_freq=st.sampled_from(["epoch", "batch"]),
    precision=st.sampled_from(PRECISIONS),
    jit_compile=st.booleans(),
    seed=st.integers(0, 2**31 - 1),
    steps_per_epoch=st.none() | st.integers(1, 10**6),
)
configs = _builds(optimizer=st.just("adam")) | _builds(
    optimizer=st.just("sgd"), momentum=st.floats(0, 1, exclude_max=True)
)


@given(configs)
def test_json_round_trip(config):
    assert TrainConfig.from_json(config.to_json()) == config


LEARNING = {"teacher": {"network": "ResNet20"}, "teacher_weights": "untrained"}
EVERYTHING = {
    "epochs": 90,
    "network_options": {"block": "normal"},
    "estimator": {"t_min": 1e-3, "t_max": 20},
    "optimizer": "sgd",
    "nesterov": True,
    "weight_decay": 1e-4,
    "decayed_weights": "stem_conv/kernel|logits/.*",
    "learning_rate_schedule": "step",
    "decay_epochs": (30, 60.5),
    "warmup_epochs": 4,
    "warmup_learning_rate": 0.2,
    "synchronized_batch_norm": True,
    "dataset": "synthetic_imagenet2012",
    "statistics": "imagenet",
    "augmentation": {"scale": (0.08, 1.25), "jitter": None},
    "binary_weights": False,
    "initial_weights": "runs/stage1",
    "teacher": {"network": "ResNet34", "block": "normal", "head_norm": False},
    "teacher_weights": "runs/resnet34.pth",
    "distillation": {"targets": "labels", "gamma": 0.5, "layers": ("stage4_block2",)},
}


def test_json_round_trip_of_the_settings_of_published_recipes():
    config = small_config(**EVERYTHING)
    again = TrainConfig.from_json(config.to_json())
    assert again == config
    assert again.decay_epochs == (30, 60.5)
    assert again.network_options == {"block": "normal"}
    assert again.augmentation == {"scale": (0.08, 1.25), "jitter": None}
    assert again.distillation["layers"] == ("stage4_block2",)


def test_json_round_trip_of_a_restriction():
    config = small_config(restriction={"layer": "a", "fill": (0.0, 0.5, 1.0)})
    again = TrainConfig.from_json(config.to_json())
    assert again == config
    assert again.restriction["fill"] == (0.0, 0.5, 1.0)


def test_configurations_of_earlier_versions_load():
    # what config.json held before networks, schedules and devices had settings
    settings = json.loads(small_config().to_json())
    later = {
        "network_options",
        "estimator",
        "statistics",
        "augmentation",
        "binary_weights",
        "initial_weights",
        "teacher",
        "teacher_weights",
        "distillation",
        "restriction",
        "warmup_epochs",
        "warmup_learning_rate",
        "decay_epochs",
        "nesterov",
        "weight_decay",
        "decayed_weights",
        "synchronized_batch_norm",
        "gradient_accumulation_steps",
    }
    earlier = {name: settings[name] for name in settings if name not in later}
    assert len(earlier) + len(later) == len(settings)
    assert TrainConfig.from_json(json.dumps(earlier)) == small_config()


def test_mappings_that_change_later_do_not_change_the_settings():
    options, decays = {"block": "normal"}, [1.0]
    # the registry of recipes is one object for all
    config = small_config(
        network_options=options, decay_epochs=decays, learning_rate_schedule="step"
    )
    options["block"] = "other"
    decays.append(2.0)
    assert config.network_options == {"block": "normal"}
    assert config.decay_epochs == (1.0,)
    with pytest.raises(TypeError):
        config.network_options["block"] = "other"


def test_settings_by_name():
    config = small_config(**EVERYTHING).with_settings(
        {"estimator.t_min": 0.5, "network_options.bn_gamma": "uniform", "seed": 7}
    )
    assert config.estimator == {"t_min": 0.5, "t_max": 20}
    assert config.network_options == {"block": "normal", "bn_gamma": "uniform"}
    assert config.seed == 7


@pytest.mark.parametrize("name", ["colour", "seed.colour", "", "_check"])
def test_settings_that_do_not_exist(name):
    with pytest.raises(ValueError, match=f"a setting out of .*, got '{name}'"):
        small_config().with_settings({name: 1})


def test_other_epochs_stretch_the_learning_rates():
    config = small_config(**EVERYTHING)
    for longer in config.stretched(180), config.with_settings({"epochs": 180}):
        assert (longer.epochs, longer.warmup_epochs) == (180, 8)
        assert longer.decay_epochs == (60, 121)
    with pytest.raises(ValueError, match="`epochs` to be at least 1, got 0"):
        config.with_settings({"epochs": 0})


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"optimizer": "sgd", "nesterov": True, "momentum": 0.0}, "with momentum"),
        (
            {"optimizer": "sgd", "decayed_weights": "logits/.*"},
            r"`decayed_weights` to be '\.\*' without weight decay, got 'logits/\.\*'",
        ),
        ({"learning_rate_schedule": "step", "decay_epochs": (0.0,)}, "`decay_epochs`"),
        (
            {"learning_rate_schedule": "step", "decay_epochs": (math.nan,)},
            "`decay_epochs`",
        ),
        (
            {"learning_rate_schedule": "step", "decay_epochs": (2.0, 1.0)},
            "`decay_epochs` to be growing numbers below the 3 epochs",
        ),
        (
            {"learning_rate_schedule": "step", "decay_epochs": (3.0,)},
            "`decay_epochs` to be growing numbers below the 3 epochs",
        ),
        (
            {"learning_rate_schedule": "warmup_cosine", "warmup_learning_rate": 0.1},
            "`warmup_learning_rate` to be 0 with 'warmup_cosine', got 0.1",
        ),
    ],
)
def test_settings_that_do_not_go_together(settings, message):
    with pytest.raises(ValueError, match=message):
        small_config(**settings)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"teacher": {}, "teacher_weights": "a"}, "`teacher_weights` to be '' without"),
        (
            {"teacher": {"network": "ResNet20"}},
            "`teacher_weights` to be the place of its weights with a teacher, got ''",
        ),
        (
            {"teacher": {"block": "normal"}, "teacher_weights": "a"},
            r"`teacher` to be with a 'network' out of \[.*\], got {'block': 'normal'}",
        ),
        (
            {"teacher": {"network": "ResNet21"}, "teacher_weights": "a"},
            r"`teacher` to be with a 'network' out of \[.*'ResNet34'.*'ResNet21'",
        ),
        (
            {"teacher": {"network": "VGGSmall", "block": 1}, "teacher_weights": "a"},
            r"`teacher` out of \[.*'alignment'.*\] for VGGSmall, got \['block'\]\.",
        ),
        (
            {"teacher": {"network": "VGGSmall", "method": 1}, "teacher_weights": "a"},
            r"`teacher` out of \[.*\] for VGGSmall, got \['method'\]\.",
        ),
        (
            {"distillation": {"gamma": 1.0}},
            "`distillation` to be empty without teacher",
        ),
        (
            {**LEARNING, "distillation": {"alpha": 1.0}},
            r"`distillation` to be out of \['gamma', .*\], got {'alpha': 1.0}",
        ),
        (
            {**LEARNING, "distillation": {"targets": "logits"}},
            r"with 'targets' out of \['teacher', 'labels'\], got",
        ),
        (
            {**LEARNING, "distillation": {"targets": "labels"}},
            "with 'gamma' where targets are the labels, got",
        ),
        (
            {**LEARNING, "distillation": {"gamma": 1.0}, "restriction": {"layer": "a"}},
            "without 'gamma' beside a restriction, got",
        ),
        (
            {**LEARNING, "distillation": {"gamma": "strong"}},
            "`gamma` to be positive and finite, got 'strong'",
        ),
        (
            {"restriction": {"layer": 3}},
            "`restriction` to be with the name of a 'layer', got {'layer': 3}",
        ),
        (
            {"restriction": {"layer": "a", "lambda": 0.15}},
            r"`restriction` to be out of \['fill', 'layer', .*\], got .*'lambda'",
        ),
        (
            {"restriction": {"layer": "a", "threshold": 1.5}},
            "`threshold` to be a share of the mean attention, .*, got 1.5",
        ),
        (
            {"restriction": {"layer": "a", "statistics": "none"}},
            "`statistics` out of .*, got 'none'",
        ),
        ({"method": "float", "binary_weights": False}, "`binary_weights` .* 'float'"),
        ({"method": "irnet_w1a32", "binary_weights": False}, "`binary_weights` .*"),
        (
            {"method": "recu", "binary_weights": False, "estimator": {"tau_min": 0.9}},
            r"constants of 'recu' out of \[.*\], got \['tau_min'\]",
        ),
    ],
)
def test_stages_and_teachers_that_do_not_fit(settings, message):
    with pytest.raises(ValueError, match=message):
        small_config(**settings)


@pytest.mark.parametrize(
    "augmentation, message",
    [
        ({"colour": 1}, r"out of \['jitter', 'scale'\], got \['colour'\]"),
        ({"statistics": "cifar10"}, r"out of .*, got \['statistics'\]"),
        ({"scale": (1.25, 0.08)}, r"`scale` to be two growing positive numbers"),
        ({"jitter": 0.2}, "`jitter` to be None or four numbers .* got 0.2"),
    ],
)
def test_augmentations_that_a_dataset_does_not_have(augmentation, message):
    with pytest.raises(ValueError, match=message):
        small_config(dataset="synthetic_imagenet2012", augmentation=augmentation)


def test_json_holds_every_setting():
    fields = {field.name for field in dataclasses.fields(TrainConfig)}
    assert set(json.loads(small_config().to_json())) == fields


@given(configs)
def test_steps_fit_the_training_images(config):
    assert 1 <= config.steps <= 1197 // config.batch_size
    assert config.steps <= (config.steps_per_epoch or math.inf)


@pytest.mark.parametrize(
    "batch_size, steps_per_epoch, steps",
    [(64, None, 18), (64, 5, 5), (64, 100, 18), (1197, None, 1), (1, None, 1197)],
)
def test_steps(batch_size, steps_per_epoch, steps):
    config = small_config(batch_size=batch_size, steps_per_epoch=steps_per_epoch)
    assert config.steps == steps


def test_settings_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        small_config().epochs = 5


def test_shrunk_never_enlarges_a_batch():
    assert small_config(batch_size=4).shrunk().batch_size == 4
    assert small_config(batch_size=64).shrunk().batch_size == 16


def test_shrunk_runs_need_no_trained_weights():
    shrunk = small_config(**EVERYTHING).shrunk()
    assert (shrunk.initial_weights, shrunk.teacher_weights) == ("", "untrained")
    assert shrunk.teacher == EVERYTHING["teacher"]
    assert not shrunk.binary_weights
    assert small_config().shrunk().teacher_weights == ""


INVALID = [
    ("network", "ResNet21", r"a network out of \[.*'ResNet20'.*\], got 'ResNet21'"),
    ("method", "nope", r"a method out of \[.*\], got 'nope'"),
    ("dataset", "mnist", r"a dataset out of \[.*'digits'.*\], got 'mnist'"),
    (
        "optimizer",
        "lion",
        r"`optimizer` to be one of \['adam', 'sgd', 'torch_adam'\], got 'lion'",
    ),
    ("learning_rate_schedule", "exp", "`learning_rate_schedule` .*, got 'exp'"),
    (
        "learning_rate_schedule",
        "step",
        r"`decay_epochs` to be growing numbers .* for the schedule 'step' .*, got \(\)",
    ),
    ("precision", "float16", "`precision` to be one of .*'float64'.*, got 'float16'"),
    ("estimator_update_freq", "step", r"`estimator_update_freq` .*, got 'step'"),
    ("epochs", 0, "`epochs` to be at least 1, got 0"),
    ("epochs", -3, "`epochs` to be at least 1, got -3"),
    ("batch_size", 0, r"`batch_size` to be in \[1, 1197\], got 0"),
    ("batch_size", 1198, r"`batch_size` to be in \[1, 1197\], got 1198"),
    ("learning_rate", 0.0, "`learning_rate` to be positive, got 0.0"),
    ("learning_rate", -1.0, "`learning_rate` to be positive, got -1.0"),
    ("learning_rate", math.inf, "`learning_rate` to be positive, got inf"),
    ("learning_rate", math.nan, "`learning_rate` to be positive, got nan"),
    ("momentum", -0.1, r"`momentum` to be in \[0, 1\), got -0.1"),
    ("momentum", 0.5, "`momentum` to be 0.9, its default, with adam, .*, got 0.5"),
    ("momentum", 1.0, r"`momentum` to be in \[0, 1\), got 1.0"),
    ("seed", -1, r"`seed` to be in \[0, 2\^31\), got -1"),
    ("seed", 2**31, r"`seed` to be in \[0, 2\^31\), got 2147483648"),
    ("steps_per_epoch", 0, "`steps_per_epoch` to be None or at least 1, got 0"),
    ("pad_values", 0.5, "`pad_values` .* got 0.5"),
    ("alignment", "caffe", "`alignment` .* got 'caffe'"),
    ("weight_decay", -1e-4, "`weight_decay` to be 0 or positive, got -0.0001"),
    ("weight_decay", math.nan, "`weight_decay` to be 0 or positive, got nan"),
    ("weight_decay", 1e-4, "`weight_decay` to be 0 with adam, .*, got 0.0001"),
    (
        "decayed_weights",
        "(logits",
        r"`decayed_weights` to be a regular expression, got '\(logits': missing \)",
    ),
    ("decayed_weights", "logits/.*", r"`decayed_weights` to be '\.\*' without weight"),
    ("nesterov", True, "`nesterov` to be False with adam, got True"),
    ("warmup_epochs", -1.0, "`warmup_epochs` to be 0 or positive, got -1.0"),
    ("warmup_epochs", 3.0, "`warmup_epochs` to be below the 3 epochs, got 3.0"),
    ("warmup_epochs", math.inf, "`warmup_epochs` to be 0 or positive, got inf"),
    ("warmup_learning_rate", -0.1, "`warmup_learning_rate` to be 0 or .*, got -0.1"),
    ("decay_epochs", (1.0,), r"`decay_epochs` .* empty for others, got \(1.0,\)"),
    (
        "network_options",
        {"colour": 1, "block": "normal"},
        r"`network_options` out of \[.*'block'.*\] for ResNet20, got \['colour'\]",
    ),
    ("network_options", {"method": "float"}, r"`network_options` .* \['method'\]"),
    ("distillation", {"gamma": 0.5}, "`distillation` to be empty without teacher, got"),
    ("restriction", {"threshold": 0.5}, "`restriction` to be with the name of a 'laye"),
    ("diagnostics", {"images": 0}, "`diagnostics` with 'images' of at least 1, got 0"),
    ("estimator", {"t_mid": 1.0}, r"constants of 'irnet' out of .*, got \['t_mid'\]"),
    ("statistics", "mnist", "`statistics` .* got 'mnist'"),
    (
        "augmentation",
        {"scale": (0.08, 1.25)},
        r"`augmentation` of digits out of \[\], got \['scale'\]",
    ),
    (
        "gradient_accumulation_steps",
        2,
        "`gradient_accumulation_steps` to be 1, because batch normalisation .*, got 2",
    ),
]
INVALID_TYPES = [
    ("epochs", 2.5, "`epochs`"),
    ("batch_size", 16.5, "`batch_size`"),
    ("seed", 0.5, "`seed`"),
    ("steps_per_epoch", 1.5, "`steps_per_epoch`"),
    ("jit_compile", "no", "`jit_compile` to be a bool, got 'no'"),
    ("evaluate_test", 1, "`evaluate_test` to be a bool, got 1"),
    ("decayed_weights", None, "`decayed_weights` to be a name, got None"),
    ("nesterov", 1, "`nesterov` to be a bool, got 1"),
    ("synchronized_batch_norm", 1, "`synchronized_batch_norm` to be a bool, got 1"),
    ("epochs", True, "`epochs` to be an integer, got True"),
    ("gradient_accumulation_steps", 1.0, "`gradient_accumulation_steps` .* integer"),
    ("network", ["ResNet20"], "`network` to be a name"),
    ("method", None, "`method` to be a name, got None"),
    ("dataset", 3, "`dataset` to be a name, got 3"),
    ("statistics", 3, "`statistics` to be a name or None, got 3"),
    ("binary_weights", "no", "`binary_weights` to be a bool, got 'no'"),
    ("initial_weights", None, "`initial_weights` to be a name, got None"),
    ("teacher", "ResNet34", "`teacher` to be a mapping, got 'ResNet34'"),
    ("teacher_weights", None, "`teacher_weights` to be a name, got None"),
    ("augmentation", None, "`augmentation` to be a mapping, got None"),
    ("learning_rate", "high", "`learning_rate` to be a number, got 'high'"),
    ("learning_rate", True, "`learning_rate` to be a number, got True"),
    ("momentum", None, "`momentum` to be a number, got None"),
    ("warmup_epochs", "4", "`warmup_epochs` to be a number, got '4'"),
    ("decay_epochs", 30, "`decay_epochs` to be a sequence of numbers, got 30"),
    ("decay_epochs", "30", "`decay_epochs` to be a sequence of numbers, got '30'"),
    ("decay_epochs", ["30"], r"`decay_epochs` to be .* of numbers, got \['30'\]"),
    ("network_options", None, "`network_options` to be a mapping, got None"),
    (
        "estimator",
        [1.0],
        r"`estimator` to be a mapping to numbers and bools, got \[1.0\]",
    ),
    ("estimator", {"t_min": "low"}, "`estimator` to be .* and bools, got {'t_min'"),
]


@pytest.mark.parametrize("name, value, message", INVALID)
def test_invalid_settings(name, value, message):
    with pytest.raises(ValueError, match=message):
        small_config(**{name: value})


def test_every_setting_that_can_be_wrong_is_tried():
    fields = {field.name for field in dataclasses.fields(TrainConfig)}
    assert {name for name, _, _ in INVALID + INVALID_TYPES} == fields


@pytest.mark.parametrize("name, value, message", INVALID_TYPES)
def test_settings_of_the_wrong_type(name, value, message):
    with pytest.raises(ValueError, match=message):
        small_config(**{name: value})


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "Expecting value"),
        ("garbage", "Expecting value"),
        ('{"network": ', "Expecting value"),
        ("[1, 2]", "Expected a JSON object, got list"),
        ("null", "Expected a JSON object, got NoneType"),
        ("{}", "Expected the settings of a run: .*missing 7 required"),
        ('{"colour": 1}', "Expected the settings of a run: .*colour"),
    ],
)
def test_unreadable_json(text, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig.from_json(text)


@pytest.mark.parametrize(
    "change", [{"epochs": "two"}, {"method": ["irnet"]}, {"seed": None}, {"epochs": {}}]
)
def test_json_with_values_of_another_type(change):
    settings = {**json.loads(small_config().to_json()), **change}
    with pytest.raises(ValueError, match="Expected"):
        TrainConfig.from_json(json.dumps(settings))


def test_json_with_a_setting_too_many():
    settings = {**json.loads(small_config().to_json()), "colour": "red"}
    with pytest.raises(ValueError, match="Expected the settings of a run: .*'colour'"):
        TrainConfig.from_json(json.dumps(settings))


def test_the_network_follows_the_settings():
    config = small_config(method="ste_sign", pad_values=1.0, alignment="torch")
    model = config.build_model()
    layer = model.get_layer("stage1_block1_conv1")
    assert (layer.method, layer.pad_values) == ("ste_sign", 1.0)
    assert model.get_layer("rotate")


def test_real_weights_in_the_first_of_two_stages():
    binary = small_config(method="ste_sign")
    real = small_config(method="ste_sign", binary_weights=False)
    stages = [config.build_model() for config in (binary, real)]
    quantizers = [
        (layer.input_quantizer is None, layer.kernel_quantizer is None)
        for layer in (model.get_layer("stage1_block1_conv1") for model in stages)
    ]
    assert quantizers == [(False, False), (False, True)]
    ours, theirs = ([w.name for w in model.weights] for model in stages)
    assert ours == theirs


def test_constants_of_the_estimator_reach_the_network_and_are_saved(tmp_path):
    config = small_config(
        estimator={"t_min": 1e-3}, network_options={"block": "normal"}
    )
    model = config.build_model()
    model.save(tmp_path / "model.keras")
    for network in model, tf.keras.models.load_model(tmp_path / "model.keras"):
        layer = network.get_layer("stage1_block1_conv1")
        assert layer.input_quantizer.t_min == 1e-3
        assert layer.kernel_quantizer.t_min == 1e-3
