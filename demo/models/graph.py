"""A network as a graph of named nodes: opened at its stages, and cut between two of them."""

from __future__ import annotations

import copy
import threading

from demo.models.late import fx, nn
from demo.models.zoo import BackboneSpec, StageLabel

FEATURES, LOGITS = "features", "logits"


def end_of(stage: StageLabel) -> str:
    """Return the name of the node with which a stage ends; the stage's label names the layer that is looked at."""
    return f"{stage.value}_end"


_tracing = threading.Lock()


def open_graph(network: nn.Module, spec: BackboneSpec) -> fx.GraphModule:
    """Trace a network in `eval()`.

    Args:
        network: Left unchanged; the graph calls its modules, so that both share one copy of the parameters.
        spec: Its row of the zoo's table, which names the nodes: modules, or functions that `forward` itself calls.

    Returns:
        A module from pictures (N, 3, H, W) to a dict: the labels of the stages and their `end_of` to (N, C, H, W),
        FEATURES to (N, D), LOGITS to (N, K).
    """
    names = {end_of(stage.label): stage.end for stage in spec.stages} | {FEATURES: spec.features, LOGITS: spec.logits}
    leaves: tuple[type[nn.Module], ...] = ()
    if spec.library == "timm":
        from timm.layers import BatchNormAct2d, Conv2dSame

        # Conv2dSame computes its padding from the size of the input; BatchNormAct2d counts batches when it is traced.
        leaves = (Conv2dSame, BatchNormAct2d)
    from demo.models.tracer import Tracer

    with _tracing:
        tracer = Tracer(leaves)
        graph = tracer.trace(network)
    functions = {node.name: node for node in graph.nodes if node.op == "call_function"}  # such as DenseNet's last ReLU
    ends = functions | tracer.outputs
    graph.erase_node(next(node for node in graph.nodes if node.op == "output"))
    # A network with blocks switched off may lack a layer that is looked at within one of them.
    shown = {stage.label.value: ends.get(stage.module, ends[stage.end]) for stage in spec.stages}
    graph.output(shown | {label: ends[name] for label, name in names.items()})
    opened = fx.GraphModule(network, graph).eval()
    opened.graph.eliminate_dead_code()
    opened.recompile()
    return opened


def cut_graph(graph: fx.GraphModule, start: StageLabel | None, end: str = FEATURES) -> fx.GraphModule:
    """Return the part of an opened network between two of its named nodes.

    Args:
        graph: Result of `open_graph`; left unchanged. The part calls the same modules.
        start: The stage whose end (N, C, H, W) goes in; None for pictures (N, 3, H, W).
        end: Name of the node whose output comes out.
    """
    nodes = list(graph.graph.nodes)
    (outputs,) = nodes[-1].args
    first = outputs[end_of(start)] if start else next(node for node in nodes if node.op == "placeholder")
    needed = _find_needed(outputs[end], first)
    part = fx.Graph()
    copies = {first: part.placeholder("activation")}
    for node in nodes:
        if node in needed:
            copies[node] = part.node_copy(node, lambda each: copies[each])
    part.output(copies[outputs[end]])
    return fx.GraphModule(graph, part)


def _find_needed(last: fx.Node, first: fx.Node) -> set[fx.Node]:
    """Return the nodes on the way from one node to another, without the first."""
    needed: set[fx.Node] = set()
    waiting = [last]
    while waiting:
        node = waiting.pop()
        if node is not first and node not in needed:
            needed.add(node)
            waiting.extend(node.all_input_nodes)
    return needed


def copy_sharing_memory(network: nn.Module) -> nn.Module:
    """Return a network with modules of its own and the parameters and buffers of another."""
    shared: dict[int, object] = {id(each): each for each in network.buffers()}
    shared |= {id(each): nn.Parameter(each.detach(), requires_grad=False) for each in network.parameters()}
    return copy.deepcopy(network, shared)


def replace_module(network: nn.Module, name: str, module: nn.Module) -> None:
    """Replace a module of a network, by its dotted name."""
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, module)
