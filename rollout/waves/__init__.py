"""Waves: in which order sites get a release, when they may, and what must hold before the next follow."""
