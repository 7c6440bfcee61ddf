"""What is known of machines: windows, health, alarms, stops, effectiveness: pure."""
