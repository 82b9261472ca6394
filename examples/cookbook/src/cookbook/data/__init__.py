"""The input of the sample tasks, and the script that made it."""
