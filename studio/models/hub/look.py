"""A repository of the hub -> the plan of installing it. Runs in the child process only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from studio.errors import NotFound
from studio.models.base import Kind
from studio.models.hub.address import Address
from studio.models.hub.choose import (
    file_name,
    folder_files,
    kind_of,
    pipeline_problem,
    single_files,
    translator_files,
)
from studio.models.hub.plan import Plan, RepoFile
from studio.models.hub.reach import gate
from studio.sentences import Sentence, say

_SECONDS = 15.0


def look(
    repo_id: str, revision: str | None, file: str | None, endpoint: str, token: str | bool
) -> Plan:
    """The plan; what stands in its way is its ``problem``. Raises what huggingface_hub raises."""
    from huggingface_hub import HfApi

    api = HfApi(endpoint=endpoint, token=token, library_name="creative-studio")
    info = api.model_info(repo_id, revision=revision, files_metadata=True, timeout=_SECONDS)
    files = [_file(each) for each in info.siblings or []]
    gated, allowed = bool(info.gated), True
    page = f"{endpoint}/{repo_id}"
    if gated:
        allowed = _may_read(api, repo_id)
    plan = Plan(
        repo_id=repo_id, revision=str(info.sha), page=page, name=Address(repo_id).name,
        kind="checkpoint", layout="folder", files=(), licence=_licence(info), gated=gated,
        allowed=allowed, problem=None if allowed else gate(page, bool(token)),
    )  # fmt: skip
    return _filled(plan, files, file, _pipeline(info), api)


def _filled(
    plan: Plan, files: list[RepoFile], file: str | None, pipeline: str | None, api: Any
) -> Plan:
    """``plan`` with its files: a whole folder, one file, or files to choose from."""
    singles = single_files(files)
    if file is not None:
        chosen = [each for each in files if each.path == file and file.endswith(".safetensors")]
        if not chosen:
            raise NotFound(
                say(
                    "“{repo_id}” has no safetensors file called “{file}”.",
                    repo_id=plan.repo_id,
                    file=file,
                )
            )
        return _single(plan, chosen[0], api)
    if translator := translator_files(files):
        return replace(plan, kind="translator", files=tuple(translator))
    whole = folder_files(files)
    if whole:
        problem = plan.problem or pipeline_problem(pipeline)
        return replace(plan, files=tuple(whole), choices=tuple(singles), problem=problem)
    if len(singles) == 1:
        return _single(plan, singles[0], api)
    return replace(plan, choices=tuple(singles), problem=plan.problem or _why_not(files, singles))


def _single(plan: Plan, file: RepoFile, api: Any) -> Plan:
    """The plan for one file; its kind stands in its header, which is fetched alone."""
    name = file_name(file.path, Address(plan.repo_id).name)
    kind: Kind = "checkpoint"
    if plan.allowed:
        kind = _kind(api, plan, file.path)
    target = replace(file, target=f"{name}.safetensors")
    return replace(plan, name=name, kind=kind, layout="file", files=(target,))


def _kind(api: Any, plan: Plan, path: str) -> Kind:
    from huggingface_hub.errors import SafetensorsParsingError

    try:
        header = api.parse_safetensors_file_metadata(
            plan.repo_id, path, revision=plan.revision, timeout=_SECONDS
        )
    except SafetensorsParsingError as error:
        raise NotFound(
            say(
                "“{file}” of “{repo_id}” is not a safetensors file.",
                file=path,
                repo_id=plan.repo_id,
            )
        ) from error
    return kind_of(header.tensors)


def _why_not(files: list[RepoFile], singles: list[RepoFile]) -> Sentence:
    if singles:
        return say("It holds several models: choose one of its files.")
    pickled = (".bin", ".ckpt", ".pt", ".pth")
    if any(file.path.endswith(pickled) for file in files):
        return say(
            "It holds pickled weights only (.bin, .ckpt), which can run code when "
            "they are opened; the studio takes safetensors only."
        )
    return say("It holds no Stable Diffusion model.")


def _file(sibling: Any) -> RepoFile:
    lfs = sibling.lfs
    sha256 = None if lfs is None else lfs.sha256
    return RepoFile(sibling.rfilename, int(sibling.size or 0), sha256, sibling.blob_id)


def _may_read(api: Any, repo_id: str) -> bool:
    from huggingface_hub.errors import GatedRepoError

    try:
        api.auth_check(repo_id)
    except GatedRepoError:
        return False
    return True


def _licence(info: Any) -> str | None:
    """The licence's name; a licence of its own ("other") goes by the name it is given."""
    card = info.card_data.to_dict() if info.card_data else {}
    name = card.get("license")
    if name == "other":
        name = card.get("license_name") or name
    if not name:
        tags = info.tags or []
        name = next((tag[8:] for tag in tags if tag.startswith("license:")), None)
    return str(name) if name else None


def _pipeline(info: Any) -> str | None:
    """The pipeline's class as the hub read it from model_index.json; None when it did not."""
    config = (info.config or {}).get("diffusers") if isinstance(info.config, dict) else None
    name = config.get("_class_name") if isinstance(config, dict) else None
    return name if isinstance(name, str) else None
