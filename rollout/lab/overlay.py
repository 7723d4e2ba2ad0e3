"""The disks of a host: one writable layer over frozen ones, the host's identity and the bare root."""

from collections.abc import Sequence

# redirect_dir: without it a directory that came from a lower layer cannot be renamed (EXDEV), which
# databases and package tools do not expect. The other features tie layers together by inode numbers
# and would refuse a layer that was saved and stacked again.
_FEATURES = "redirect_dir=on,index=off,metacopy=off,xino=off"


def lower(layers: Sequence[int], base: str) -> str:
    """The ``lowerdir`` list, top first; ``layers`` are oldest first, paths relative to the host's folder."""
    stack = [f"layers/{number}" for number in reversed(layers)]
    return ":".join([*stack, "identity", base])


def options(layers: Sequence[int], base: str) -> str:
    """The mount options of the host's root.

    Relative paths keep the string under one page, which is the kernel's limit, with hundreds of layers.
    ``base`` is absolute and must hold none of the characters that separate options.
    """
    if any(character in base for character in ":,\\"):
        raise ValueError(f"{base}: a base path cannot hold ':', ',' or a backslash")
    return f"lowerdir={lower(layers, base)},upperdir=upper,workdir=work,{_FEATURES}"
