"""Several people and an agent in one room hear one another, whichever way each came in."""
