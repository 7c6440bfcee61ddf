"""Lineproof ROI tracker: appraises a plan and measures what it really returned. Start with `business_case`."""
