"""The depot: a build's way to a site, and its verification on each host."""
