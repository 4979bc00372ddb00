"""Draws the masks of a run: `python -m zoo.masks --workdir=runs/ir2net`.

Runs with information restriction keep the masks of a few validation images at five of
their epochs. The picture shows, for each image, the input and for each of these epochs
what the network attended to and which pixels were kept.
"""

from pathlib import Path

from absl import flags

from larq_irnet.atomic_path import atomic_path
from zoo.command_line import run_command
from zoo.mask_grid import draw_masks
from zoo.workdir import Workdir

FLAGS = flags.FLAGS

flags.DEFINE_string("workdir", None, "Folder of a run with information restriction.")
flags.DEFINE_string(
    "output", None, "A .png, .svg or .pdf file; masks.png in the workdir by default."
)
flags.DEFINE_integer(
    "images", None, "How many images, from the first on; all by default.", lower_bound=1
)
flags.mark_flags_as_required(["workdir"])

_FORMATS = (".pdf", ".png", ".svg")


def main() -> None:
    folder = Workdir(FLAGS.workdir)
    output = Path(FLAGS.output or folder.path / "masks.png")
    if output.suffix not in _FORMATS:
        raise ValueError(
            f"Expected `output` to end in one of {list(_FORMATS)}, got '{output}'."
        )
    figure = draw_masks(folder.masks(), images=FLAGS.images)
    with atomic_path(output) as partial:
        figure.savefig(partial)
    print(f"{output}: input, attention and kept pixels")


def run() -> None:
    """Entry point of `irnet-masks`."""
    run_command(main)


if __name__ == "__main__":
    run()
