"""What every package uses, and that knows no physics: checks of arguments, estimates, storage."""
