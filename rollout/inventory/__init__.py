"""The inventory: which sites there are, with which hosts at which addresses."""

from rollout.hardware import HostKind
from rollout.inventory.load import default_path, load, select
from rollout.inventory.model import Host, Inventory, Letter, Site

__all__ = ["Host", "HostKind", "Inventory", "Letter", "Site", "default_path", "load", "select"]
