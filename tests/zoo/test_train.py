import pytest

from tests.zoo.commands import (
    assert_fails_in_one_line,
    assert_refuses_flags,
    call_command,
    run_command_line,
)
from tests.zoo.small_network import small_network
from zoo import recipes, training
from zoo.distribution import WorkerLost
from zoo.train_config import TrainConfig
from zoo.workdir import Workdir

RECIPE = "--recipe=irnet_resnet20_digits"


@pytest.fixture
def train(capsys, monkeypatch):
    """`irnet-train` with the small network."""
    monkeypatch.setattr(TrainConfig, "build_model", small_network)
    return lambda *arguments: call_command("train", arguments, capsys)


@pytest.fixture
def configs(monkeypatch):
    """The settings of all runs, which are not trained."""
    configs = []

    def run(config, workdir, *, progress, **options):
        configs.append(config)
        return {"validation": {"accuracy": 0.25}, "test": {"accuracy": 0.5}}

    monkeypatch.setattr(training, "run", run)
    return configs


def test_any_setting_can_be_changed(train, configs, tmp_path):
    outcome = train(
        "--recipe=irnet_resnet20_cifar10",
        f"--workdir={tmp_path / 'run'}",
        "--optimizer=adam",
        "--set=weight_decay=0",
        "--set=estimator.t_min=0.001",
        "--set=network_options.block=normal",
    )
    assert outcome.code == 0, outcome.stderr
    (config,) = configs
    assert (config.optimizer, config.weight_decay) == ("adam", 0)
    assert config.estimator == {"t_min": 0.001, "t_max": 10.0}
    assert config.network_options["block"] == "normal"


@pytest.mark.parametrize("setting", ["weight_decay", "=1", "colour=1"])
def test_settings_that_are_none(train, configs, setting, tmp_path):
    outcome = train(RECIPE, f"--workdir={tmp_path / 'run'}", f"--set={setting}")
    assert_fails_in_one_line(outcome, "Expected a setting")
    assert configs == []


def test_train_and_evaluate_as_a_user_does(tmp_path):
    workdir = tmp_path / "new" / "run"
    recipe = "irnet_resnet20_digits_sgd"
    trained = run_command_line(
        "train",
        f"--recipe={recipe}",
        "--smoke",
        "--progress=none",
        f"--workdir={workdir}",
    )
    assert trained.code == 0, trained.stderr
    assert Workdir(workdir).config() == recipes.get(recipe).config.shrunk()
    accuracy = f"{Workdir(workdir).results()['test']['accuracy']:.2%}"
    assert trained.stdout.startswith(f"{recipe}: validation ")
    assert trained.stdout.endswith(f"test {accuracy}, in {workdir}\n")

    evaluated = run_command_line("evaluate", f"--workdir={workdir}")
    assert evaluated.code == 0, evaluated.stderr
    assert evaluated.stdout.startswith(
        f"ResNet20 irnet on 400 test images of digits: accuracy {accuracy}, loss "
    )


def test_unknown_recipe_as_a_user_sees_it(tmp_path):
    workdir = tmp_path / "run"
    outcome = run_command_line("train", "--recipe=nope", f"--workdir={workdir}")
    assert_fails_in_one_line(outcome, "Expected a recipe out of", "got 'nope'")
    assert not workdir.exists()


def test_result_line(train, configs, tmp_path):
    outcome = train(RECIPE, f"--workdir={tmp_path}")
    assert outcome.stdout == (
        f"irnet_resnet20_digits: validation 25.00%, test 50.00%, in {tmp_path}\n"
    )
    assert outcome.code == 0


def test_without_overrides_the_recipe_is_run(train, configs, tmp_path):
    train(RECIPE, f"--workdir={tmp_path}")
    assert configs == [recipes.get("irnet_resnet20_digits").config]


@pytest.mark.parametrize(
    "flag, name, value",
    [
        ("--epochs=7", "epochs", 7),
        ("--batch_size=5", "batch_size", 5),
        ("--optimizer=sgd", "optimizer", "sgd"),
        ("--learning_rate=0.5", "learning_rate", 0.5),
        ("--pad_values=0", "pad_values", 0.0),
        ("--precision=mixed_bfloat16", "precision", "mixed_bfloat16"),
        ("--precision=float64", "precision", "float64"),
        ("--synchronized_batch_norm", "synchronized_batch_norm", True),
        ("--gradient_accumulation_steps=1", "gradient_accumulation_steps", 1),
        ("--jit_compile", "jit_compile", True),
        ("--seed=0", "seed", 0),
    ],
)
def test_overrides(train, configs, tmp_path, flag, name, value):
    train(RECIPE, f"--workdir={tmp_path}", flag)
    (config,) = configs
    recipe = vars(recipes.get("irnet_resnet20_digits").config)
    assert vars(config) == {**recipe, name: value}


def test_smoke(train, configs, tmp_path):
    train(RECIPE, f"--workdir={tmp_path}", "--smoke", "--seed=3")
    (config,) = configs
    assert (config.epochs, config.steps, config.seed) == (2, 3, 3)


def test_smoke_of_a_dataset_on_disk_takes_its_twin(train, configs, tmp_path):
    train("--recipe=irnet_resnet20_cifar10", "--smoke", f"--workdir={tmp_path}")
    (config,) = configs
    recipe = recipes.get("irnet_resnet20_cifar10").config
    assert recipe.dataset == "cifar10"
    assert config == recipe.shrunk()
    assert config.dataset == "synthetic_cifar10"
    assert (config.epochs, config.steps, config.batch_size) == (2, 3, 16)


def test_smoke_of_a_published_recipe_trains(train, tmp_path):
    outcome = train(
        "--recipe=irnet_resnet20_cifar10", "--smoke", f"--workdir={tmp_path}"
    )
    assert outcome.code == 0, outcome.stderr
    assert Workdir(tmp_path).is_complete


def test_where_and_on_what_a_run_trains(train, tmp_path, monkeypatch):
    given: dict[str, str] = {}

    def run(config, workdir, **options):
        given.update(options, workdir=workdir)
        return {"validation": {"accuracy": 0.25}, "test": {"accuracy": 0.5}}

    monkeypatch.setattr(training, "run", run)
    train(
        RECIPE,
        f"--workdir={tmp_path}",
        "--data_dir=/data",
        "--strategy=mirrored",
        "--progress=epochs",
    )
    assert given == {
        "workdir": str(tmp_path),
        "data_dir": "/data",
        "strategy": "mirrored",
        "progress": "epochs",
    }


def test_a_lost_worker_is_one_line(train, tmp_path, monkeypatch):
    def lost(*arguments, **options):
        raise WorkerLost("Another worker of this run has stopped")

    monkeypatch.setattr(training, "run", lost)
    outcome = train(RECIPE, f"--workdir={tmp_path}")
    assert_fails_in_one_line(outcome, "Another worker of this run has stopped")


def test_a_run_and_the_same_run_again(train, tmp_path, caplog):
    arguments = RECIPE, "--smoke", "--progress=epochs", f"--workdir={tmp_path}"
    first = train(*arguments)
    assert first.code == 0
    assert [line[:10] for line in first.stdout.splitlines()[:-1]] == [
        "epoch 1/2:",
        "epoch 2/2:",
    ]
    assert "is complete" not in caplog.text

    second = train(*arguments)
    assert second.code == 0
    assert [second.stdout.strip()] == first.stdout.strip().splitlines()[-1:]
    assert f"{tmp_path} is complete" in caplog.text


def test_another_run_in_the_workdir(train, finished_run):
    outcome = train(RECIPE, "--smoke", "--seed=4", f"--workdir={finished_run.path}")
    assert_fails_in_one_line(outcome, "seed=0 there, 4 now")


def test_divergence(train, tmp_path):
    outcome = train(
        RECIPE,
        "--smoke",
        "--optimizer=sgd",
        "--learning_rate=1e30",
        "--progress=none",
        f"--workdir={tmp_path}",
    )
    assert_fails_in_one_line(outcome, "Train with a lower learning rate")


def test_interruption(train, tmp_path, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "run", interrupted)
    outcome = train(RECIPE, f"--workdir={tmp_path}")
    assert (outcome.code, outcome.stderr) == (130, "interrupted\n")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--recipe=nope"], ["Expected a recipe", "'nope'"]),
        ([RECIPE, "--epochs=0"], ["`epochs`", "got 0"]),
        ([RECIPE, "--batch_size=5000"], ["`batch_size`", "got 5000"]),
        ([RECIPE, "--optimizer=lion"], ["`optimizer`", "'lion'"]),
        ([RECIPE, "--learning_rate=-1"], ["`learning_rate`", "got -1.0"]),
        ([RECIPE, "--learning_rate=nan"], ["`learning_rate`", "got nan"]),
        ([RECIPE, "--pad_values=0.5"], ["`pad_values`", "got 0.5"]),
        ([RECIPE, "--precision=int8"], ["`precision`", "'int8'"]),
        ([RECIPE, "--seed=-1"], ["`seed`", "got -1"]),
        (
            [RECIPE, "--gradient_accumulation_steps=4"],
            ["`gradient_accumulation_steps`", "got 4", "--strategy"],
        ),
        ([RECIPE, "--strategy=multi_worker"], ["Expected TF_CONFIG", "got ''"]),
        ([RECIPE, "--strategy=tpu"], ["Expected a TPU", "TPU_NAME"]),
        (
            ["--recipe=irnet_resnet20_cifar10", "--data_dir=/nowhere"],
            ["/nowhere", "tfds build"],
        ),
        ([RECIPE, "somewhere"], ["Expected flags only", "'somewhere'"]),
    ],
    ids=lambda value: value[-1],
)
def test_bad_values_leave_nothing_behind(
    arguments, words, tmp_path, capsys, monkeypatch
):
    for variable in "TF_CONFIG", "TPU_NAME":
        monkeypatch.delenv(variable, raising=False)
    workdir = tmp_path / "run"
    outcome = call_command("train", [*arguments, f"--workdir={workdir}"], capsys)
    assert_fails_in_one_line(outcome, *words)
    assert not workdir.exists()


def test_a_workdir_that_cannot_be_written(train, tmp_path):
    (tmp_path / "file").write_text("in the way")
    outcome = train(RECIPE, "--smoke", f"--workdir={tmp_path / 'file' / 'run'}")
    assert_fails_in_one_line(outcome, "Expected a workdir that can be written")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_workdir_without_a_name(train, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where an empty path would lead
    outcome = train(RECIPE, "--smoke", "--workdir=")
    assert outcome.code != 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments, word",
    [
        ([RECIPE], "--workdir"),
        (["--workdir=run"], "--recipe"),
        ([RECIPE, "--workdir=run", "--epochs=two"], "--epochs"),
        ([RECIPE, "--workdir=run", "--progress=all"], "--progress"),
        ([RECIPE, "--workdir=run", "--strategy=horovod"], "--strategy"),
        ([RECIPE, "--workdir=run", "--colour=red"], "colour"),
    ],
    ids=lambda value: str(value[-1]),
)
def test_bad_flags(arguments, word, tmp_path, monkeypatch, train):
    monkeypatch.chdir(tmp_path)
    assert_refuses_flags(train(*arguments), word)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_configuration(train, tmp_path):
    (tmp_path / "config.json").write_text("garbage")
    outcome = train(RECIPE, "--smoke", f"--workdir={tmp_path}")
    assert_fails_in_one_line(outcome, "config.json")
    assert (tmp_path / "config.json").read_text() == "garbage"


@pytest.mark.parametrize("content", ["garbage", "[]", "{}"])
def test_damaged_results(train, finished_run, tmp_path, content):
    config = (finished_run.path / "config.json").read_text()
    (tmp_path / "config.json").write_text(config)
    (tmp_path / "results.json").write_text(content)
    outcome = train(RECIPE, "--smoke", f"--workdir={tmp_path}")
    assert_fails_in_one_line(outcome, "results.json")
