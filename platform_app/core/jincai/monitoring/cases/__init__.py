"""Cases: what people make of alerts, from the first look to the end of the rectification."""
