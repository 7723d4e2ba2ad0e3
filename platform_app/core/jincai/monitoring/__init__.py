"""财政资金动态监控: rules as data, judged before, during and after payment; alerts, and their cases."""
