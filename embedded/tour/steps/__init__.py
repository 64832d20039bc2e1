"""The ten steps of the tour, a few in a file, in the order in which they are shown."""

from embedded.tour.steps import commands, others, past, rows

STEPS = (*commands.STEPS, *past.STEPS, *rows.STEPS, *others.STEPS)
