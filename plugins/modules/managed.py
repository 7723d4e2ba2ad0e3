"""Documentation of the ``managed`` action; it runs on the control node only."""

DOCUMENTATION = r"""
module: managed
short_description: Declares files and services that a role manages
description:
  - Most files and services enter the site's record by themselves, because the modules that write them say so.
    This declares the others, such as files written by a task with C(no_log), or unpacked by a program.
  - Runs nothing on the host and never reports a change.
options:
  paths:
    description: Absolute paths, or patterns as of a shell; C(**) stands for any folders.
    type: list
    elements: str
    default: []
  services:
    description: Units that must be active, and whether they must be enabled as well.
    type: dict
    default: {}
author: rollout
"""

EXAMPLES = r"""
- name: What a censored task wrote
  managed:
    paths: [/etc/patroni/config.yml]
    services: {patroni.service: true}
"""

RETURN = r"""
managed:
  description: What was declared.
  returned: always
  type: dict
"""
