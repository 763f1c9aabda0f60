"""ComfyUI's graphs: from the sampler back along its links to prompts, model, size and add-ons.

The chunk ``prompt`` is ``{id: {"class_type", "inputs"}}``; an input is a value or a link
``[id, output]``. Source: https://docs.comfy.org/development/core-concepts/workflow
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from studio.recipes.recipe import (
    Recipe,
    filled,
    lora_tag,
    model_named,
    noted,
    number,
    sampler_named,
    schedule_named,
    with_tags,
)

SOURCE: Final = "ComfyUI"
_FARTHEST: Final = 60
_SEEDS: Final = ("seed", "noise_seed")
_KNOWN: Final = {
    "KSampler", "KSamplerAdvanced", "CLIPTextEncode", "EmptyLatentImage", "CheckpointLoaderSimple",
    "CheckpointLoader", "LoraLoader", "LoraLoaderModelOnly", "VAELoader", "VAEDecode", "SaveImage",
    "PreviewImage", "CLIPSetLastLayer", "EmptySD3LatentImage", "CLIPTextEncodeSDXL", "Reroute",
}  # fmt: skip

Node = Mapping[str, Any]


class _Graph:
    """The nodes, and the way along their links."""

    def __init__(self, nodes: Mapping[str, Any]) -> None:
        self._nodes = {
            str(key): node
            for key, node in nodes.items()
            if isinstance(node, Mapping) and isinstance(node.get("inputs"), Mapping)
        }

    def of_kind(self, *kinds: str) -> list[Node]:
        return [node for node in self._nodes.values() if node.get("class_type") in kinds]

    def kinds(self) -> set[str]:
        return {str(node.get("class_type")) for node in self._nodes.values()}

    def before(self, node: Node, name: str) -> Node | None:
        """The node that an input is linked to."""
        link = node["inputs"].get(name)
        return self._nodes.get(str(link[0])) if isinstance(link, list) and link else None

    def upstream(self, node: Node | None, *names: str) -> Iterator[Node]:
        """The node and those before it along the first of ``names`` that is linked."""
        for _ in range(_FARTHEST):
            if node is None:
                return
            yield node
            here = node
            node = next((n for name in names if (n := self.before(here, name))), None)

    def text(self, node: Node | None) -> str | None:
        """The words at the end of a conditioning link."""
        links = ("text", "conditioning", "conditioning_1", "text_g", "string", "value", "")
        for one in self.upstream(node, *links):
            for name in ("text", "text_g", "string", "value"):
                if isinstance(one["inputs"].get(name), str):
                    return str(one["inputs"][name])
        return None

    def value(self, node: Node, *names: str) -> object:
        """A plain value of a node, or of the node that its input is linked to."""
        for name in names:
            found = node["inputs"].get(name)
            linked = self.before(node, name)
            if linked is not None:
                inside = linked["inputs"]
                found = next(
                    (inside[n] for n in (name, "value", "int", "seed") if n in inside), None
                )
            if found is not None and not isinstance(found, list):
                return found
        return None


def read_graph(nodes: Mapping[str, Any]) -> Recipe | None:
    """The recipe of a graph with an ordinary sampler in it; None for any other data."""
    graph = _Graph(nodes)
    samplers = graph.of_kind("KSampler", "KSamplerAdvanced")
    if not samplers:
        return None
    sampler = samplers[0]
    prompt = graph.text(graph.before(sampler, "positive"))
    chain = list(graph.upstream(graph.before(sampler, "model"), "model"))
    values: dict[str, Any] = {
        "negative_prompt": graph.text(graph.before(sampler, "negative")),
        "seed": number(graph.value(sampler, *_SEEDS), int),
        "num_inference_steps": number(graph.value(sampler, "steps"), int),
        "guidance_scale": number(graph.value(sampler, "cfg"), float),
        "sampler": sampler_named(str(graph.value(sampler, "sampler_name") or "")),
        "sigma_schedule": schedule_named(str(graph.value(sampler, "scheduler") or "")),
        "model": _model(chain),
        **_size(graph, sampler),
        **_add_ons(graph),
    }
    if prompt is not None:
        values["prompt"] = with_tags(prompt, _loras(chain))
    return Recipe(SOURCE, filled(values), _rest(graph, sampler, values, len(samplers)))


def _model(chain: list[Node]) -> str | None:
    names = [n["inputs"][k] for n in chain for k in ("ckpt_name", "unet_name") if k in n["inputs"]]
    return model_named(names[0]) if names else None


def _loras(chain: list[Node]) -> list[str]:
    """Tags of the LoRAs on the way from the checkpoint to the sampler, in that order."""
    return [
        lora_tag(name, node["inputs"].get("strength_model"))
        for node in reversed(chain)
        if (name := model_named(node["inputs"].get("lora_name")))
    ]


def _size(graph: _Graph, sampler: Node) -> dict[str, Any]:
    for node in graph.upstream(graph.before(sampler, "latent_image"), "samples", "latent_image"):
        if "width" in node["inputs"]:
            width, height = graph.value(node, "width"), graph.value(node, "height")
            return {"width": number(width, int), "height": number(height, int)}
    return {}


def _add_ons(graph: _Graph) -> dict[str, Any]:
    """CLIP skip and VAE, where nodes for them stand in the graph."""
    found: dict[str, Any] = {}
    for node in graph.of_kind("CLIPSetLastLayer"):
        layer = number(graph.value(node, "stop_at_clip_layer"), int)
        found["clip_skip"] = -int(layer) if layer is not None and layer < 0 else None
    for node in graph.of_kind("VAELoader"):
        found["vae"] = model_named(graph.value(node, "vae_name"))
    return found


def _rest(graph: _Graph, sampler: Node, values: Mapping[str, Any], count: int) -> tuple[str, ...]:
    """What the graph does beyond that."""
    rest = [noted("Node", kind) for kind in sorted(graph.kinds() - _KNOWN)]
    for name, ours in (("sampler_name", "sampler"), ("scheduler", "sigma_schedule")):
        if values[ours] is None and (given := graph.value(sampler, name)):
            rest.append(noted(name, given))
    denoise = number(graph.value(sampler, "denoise"), float)
    if denoise is not None and denoise != 1:
        rest.append(noted("denoise", denoise))
    if count > 1:
        rest.append(noted("Samplers", f"{count}; the first one was read"))
    return tuple(rest)
