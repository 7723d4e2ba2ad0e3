"""Where things lie inside a release build."""

APT = "apt"
POOL = f"{APT}/pool"
WHEELS = "wheels"
PUBLIC_KEY = "keys/release.gpg"
PLATFORM_REQUIREMENTS = f"{WHEELS}/platform.requirements.txt"
CONTROL_REQUIREMENTS = f"{WHEELS}/control.requirements.txt"
# For a bare host that has nothing but coreutils and gpgv: what to check, and what then to run.
SUMS = "SHA256SUMS"
SUMS_SIGNATURE = "SHA256SUMS.asc"
INSTALLER = "install.sh"
# The Debian packages that the installer wants, one name a line.
CONTROL_PACKAGES = f"{APT}/control.packages"

# Components of the apt repository: a host of a site never sees what only a control node needs.
SITE = "site"
CONTROL = "control"


def dists(suite: str) -> str:
    """The folder of the suite's Release file, its signatures and its indices."""
    return f"{APT}/dists/{suite}"
