"""The standards carrier (标准载体): code tables that every system shares, as data valid year by year."""
