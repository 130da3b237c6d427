"""A network that is watched while it runs, node by node."""

from typing import Any

from torch import Tensor, fx, nn


class Watcher(fx.Interpreter):
    """Runs a graph node by node and keeps the name and last output (1, C, H, W) of each unit, such as a block."""

    def __init__(self, part: fx.GraphModule, network: nn.Module) -> None:
        super().__init__(part)
        self._network = network
        self.units: dict[str, tuple[str, Tensor]] = {}
        self._unit = self._before = ""

    @property
    def last(self) -> dict[tuple[int, ...], tuple[str, Tensor]]:
        """The name and the output of the last unit of each size."""
        return {tuple(each.shape[2:]): (name, each) for name, each in self.units.values()}

    def run_node(self, n: fx.Node) -> Any:
        """Run a node and keep its output; the argument's name is fx's."""
        output = super().run_node(n)
        if n.op == "call_module":
            self._enter(str(n.target))
        if self._unit and isinstance(output, Tensor) and output.dim() == 4 and min(output.shape[2:]) > 1:
            self.units[self._unit] = self._unit, output
            if n.op == "call_module":
                self._activate_before(str(n.target), output)
        return output

    def _enter(self, module: str) -> None:
        """Note which unit runs, and which did before."""
        parent, _, rest = module.partition(".")
        is_list = isinstance(self._network.get_submodule(parent), nn.Sequential)
        unit = f"{parent}.{rest.partition('.')[0]}" if is_list and rest else parent
        if unit != self._unit:
            self._unit, self._before = unit, self._unit

    def _activate_before(self, module: str, output: Tensor) -> None:
        """Where the unit before ended without a ReLU, replace its output by the first one after a ReLU, if as large."""
        _, before = self.units.get(self._before, ("", output))
        if before.min() < 0 <= output.min() and before.shape[2:] == output.shape[2:]:
            self.units[self._before] = module, output
