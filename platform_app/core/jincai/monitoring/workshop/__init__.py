"""规则工作台: rules read by everybody who may, written by one person and put in force by another."""
