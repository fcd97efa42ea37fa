"""How a process starts quickly: what is imported stays for good, so nobody looks for garbage in it."""

import gc
import os


def begin_quickly() -> None:
    """To be called before what is dear is imported, with `collect_garbage` behind it.

    Looking for garbage again and again is a fifth of a start.
    """
    gc.disable()
    # Looking for plugins of pydantic reads the metadata of every package, and the locks name none.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def collect_garbage() -> None:
    """From here on garbage is looked for, but never in what is there by now.

    Not even once: that takes a tenth of a second, and there is next to none.
    """
    gc.freeze()
    # A large answer or some rows make some thousand objects, none of them in a cycle: no reason to look for cycles.
    gc.set_threshold(20_000, 20, 20)
    gc.enable()
