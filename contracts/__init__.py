"""The vocabulary of everything that crosses a boundary.

Frozen values, durable names, errors, limits.

Must not import anything but the standard library and pydantic, nor ask the clock, chance or the machine.
"""
