"""Per site: one vault and one issuing CA."""

from rollout.secrets.store import SiteSecrets, ensure

__all__ = ["SiteSecrets", "ensure"]
