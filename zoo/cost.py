"""What networks cost: `python -m zoo.cost --recipes=ir2net18_a_imagenet,...`.

Builds the networks of recipes and prints multiplications, operations, size and
parameters, by default those of IR2Net's four fusions. Below, the same of the authors'
PyTorch networks, where they are known.
"""

import rich.table
from absl import flags

from zoo import recipes
from zoo.command_line import run_command, table_console
from zoo.network_cost import NetworkCost, layer_costs

FLAGS = flags.FLAGS

_FUSIONS = [f"ir2net18_{fusion}_imagenet" for fusion in "abcd"]
# Counted in the authors' PyTorch networks, in the table's units; OPs of ImageNet's.
_AUTHORS = {
    "ir2net18_a_imagenet": ("163.48", "1,676.28", "189.68", "6.312", "12,220,264"),
    "ir2net18_b_imagenet": ("150.75", "1,676.28", "176.94", "5.273", "11,960,424"),
    "ir2net18_c_imagenet": ("146.93", "1,676.28", "173.12", "4.961", "11,882,344"),
    "ir2net18_d_imagenet": ("139.32", "1,676.28", "165.51", "4.340", "11,727,070"),
    "ir2net_resnet18_cifar10": ("8.56", "547.36", "", "2.260", "11,207,096"),
    "ir2net_resnet20_cifar10": ("0.60", "40.11", "", "0.054", "272,458"),
    "ir2net_vgg_small_cifar10": ("3.86", "603.98", "", "0.990", "4,675,834"),
}

flags.DEFINE_list("recipes", _FUSIONS, "Recipes, separated by commas.")

_FUSION = "fusion"  # name of the layer
_TABLE_WIDTH = 100  # also where the output is piped


def _millions(count: float) -> str:
    return f"{count / 1e6:,.2f}"


def _cells(cost: NetworkCost) -> list[str]:
    return [
        _millions(cost.float_macs),
        _millions(cost.binary_macs),
        _millions(cost.operations),
        f"{cost.bytes / 1e6:.3f}",
        f"{cost.parameters:,}",
    ]


def _table() -> rich.table.Table:
    table = rich.table.Table(title="Cost of one image")
    table.add_column("network of", no_wrap=True)
    for column in ("FP M MACs", "bin. M MACs", "M OPs", "MB", "params", "fusion"):
        table.add_column(column, justify="right", no_wrap=True)
    return table


def main() -> None:
    table, fusions = _table(), dict[str, int]()
    chosen = {name: recipes.get(name) for name in FLAGS.recipes}
    for name, recipe in chosen.items():
        costs = layer_costs(recipe.build_model())
        fusions[name] = costs[_FUSION].float_macs if _FUSION in costs else 0
        cost = sum(costs.values(), NetworkCost())
        table.add_row(name, *_cells(cost), _millions(fusions[name]))
        if name in _AUTHORS:
            table.add_row("  the authors' code", *_AUTHORS[name], "", end_section=True)
    console = table_console(_TABLE_WIDTH)
    console.print(table)
    console.print(
        "MACs: multiplications, in millions; OPs: FP + binary / 64; MB: binary weights "
        "at one bit, others in float32; fusion: FP M MACs of information recovery."
    )
    cheapest, *_, dearest = sorted([*fusions, *fusions], key=lambda name: fusions[name])
    if 0 < fusions[cheapest] < fusions[dearest]:
        ratio = fusions[dearest] / fusions[cheapest]
        console.print(f"fusion of {dearest} : {cheapest} = {ratio:.1f}")


def run() -> None:
    """Entry point of `irnet-cost`."""
    run_command(main)


if __name__ == "__main__":
    run()
