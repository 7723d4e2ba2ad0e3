"""The lab: real Debian hosts on this machine, in systemd-nspawn, with no way out."""

from rollout.lab.host import LabHost
from rollout.lab.lab import HostStatus, Lab
from rollout.lab.shell import LabError
from rollout.lab.site import LabSite

__all__ = ["HostStatus", "Lab", "LabError", "LabHost", "LabSite"]
