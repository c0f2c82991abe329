"""What was refused in this process although the test did not say so."""

UNMEANT: list[str] = []
