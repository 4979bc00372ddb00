"""Training steps of recipes in turns, by a clock of the test's own."""

import pytest

from zoo import recipes
from zoo.comparison import step_time
from zoo.comparison.step_time import measure_steps

NAMES = ["float_resnet20_digits", "irnet_resnet20_digits"]
CONFIGS = {name: recipes.get(name).config.shrunk() for name in NAMES}


class Clock:
    """Steps take as long as it is told, and are noted."""

    def __init__(self, durations):
        self.now = 0.0
        self.durations = durations
        self.steps = []

    def training_step(self, config, data_dir):
        name = next(name for name in NAMES if CONFIGS[name] is config)

        def step():
            self.now += self.durations[name](len(self.steps))
            self.steps.append(name)

        return step


@pytest.fixture
def clock_of(monkeypatch):
    def make(*durations):
        clock = Clock(dict(zip(NAMES, durations)))
        monkeypatch.setattr(step_time, "_training_step", clock.training_step)
        monkeypatch.setattr(step_time.time, "perf_counter", lambda: clock.now)
        return clock

    return make


def always(seconds):
    return lambda count: seconds


def test_steps_take_turns_until_the_time_is_over(clock_of):
    clock = clock_of(always(1.0), always(2.0))
    found = measure_steps(CONFIGS, seconds=60.0, min_rounds=1, steps_per_round=2)
    assert found == {NAMES[0]: 1.0, NAMES[1]: 2.0}
    warm_up, measured = clock.steps[:6], clock.steps[6:]
    assert warm_up == 3 * NAMES[:1] + 3 * NAMES[1:]
    assert measured == 10 * (2 * NAMES[:1] + 2 * NAMES[1:])  # of 6 seconds each


def test_each_recipe_has_its_turns_however_long_they_take(clock_of):
    clock = clock_of(always(1.0), always(2.0))
    measure_steps(CONFIGS, seconds=0.0, min_rounds=4, steps_per_round=1)
    assert clock.steps[6:] == 4 * NAMES


def test_the_median_forgets_a_slow_step(clock_of):
    clock_of(lambda count: 9.0 if count == 7 else 0.5, always(0.25))
    found = measure_steps(CONFIGS, seconds=0.0)
    assert found == {NAMES[0]: 0.5, NAMES[1]: 0.25}


def test_steps_train_in_earnest():
    found = measure_steps(CONFIGS, seconds=0.0, min_rounds=1, steps_per_round=1)
    assert list(found) == NAMES
    assert all(0 < seconds < 60 for seconds in found.values())
