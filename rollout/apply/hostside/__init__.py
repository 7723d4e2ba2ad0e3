"""Small programs that run on a site's hosts: standard library only, a JSON question in, a JSON answer out.

They are sent over SSH as text, so a bare host needs nothing but python3.
"""
