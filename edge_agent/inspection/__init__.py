"""What is known of pictures and verdicts without any camera or model: pure."""
