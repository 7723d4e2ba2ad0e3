"""事后: rules run over history: sweeps, back-tests, what posting left unjudged, and shadows compared."""
