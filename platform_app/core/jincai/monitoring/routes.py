"""What monitoring adds to the application: its routes, and what runs beside the requests."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import APIRouter

from jincai.platform import Platform

ROUTERS: tuple[APIRouter, ...] = ()
RUNNING: tuple[Callable[[Platform], AbstractAsyncContextManager[None]], ...] = ()
