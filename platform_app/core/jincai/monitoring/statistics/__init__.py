"""预警统计: how many alerts, by rule, unit, place, month and level."""
