"""登记簿 that monitoring rules look into: units' own accounts, contracts of projects, limits."""
