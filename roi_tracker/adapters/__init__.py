"""Technology behind the ports of `roi_tracker`: stores."""
