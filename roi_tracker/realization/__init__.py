"""Realized against projected: money, achievement, cash to date."""
