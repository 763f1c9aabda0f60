"""Keeps what the libraries say about themselves off the user's terminal."""

from __future__ import annotations

import logging

LIBRARIES = ("xformers", "diffusers", "transformers", "peft", "accelerate", "huggingface_hub")


def quiet_libraries(device: str) -> None:
    """Set diffusers, transformers and their kin to errors only, without progress bars.

    Call before diffusers is imported: xformers prints its complaint about a CPU build on import.
    On a CPU diffusers is kept from importing xformers at all; it has no kernels for it.
    """
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.ERROR)

    from diffusers.utils import import_utils
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    if device != "cuda":
        import_utils._xformers_available = False
    diffusers_logging.set_verbosity_error()
    diffusers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
