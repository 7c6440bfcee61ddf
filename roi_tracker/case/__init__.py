"""The schema of a business case, a section a file; `roi_tracker.business_case` is the door."""
