"""The learner: schedules, loop, metrics, planning, and the Fit it returns."""
