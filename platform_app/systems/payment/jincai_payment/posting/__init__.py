"""The parts of `jincai_payment.post`: what it stands on, what it decides, what rules say, what is written."""
