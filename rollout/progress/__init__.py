"""How far each site's rollout is: sheet, schedule, inspections, ranking, bulletins, funding."""
