"""What drawings made at build time have in common. Nothing here knows what is drawn."""
