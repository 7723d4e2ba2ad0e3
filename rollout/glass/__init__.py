"""Break-glass: what must be done everywhere at once, past every wave, gate and lease."""
