"""The conformance kit (接入检验): asks an outside system for what docs/socket.md says."""
