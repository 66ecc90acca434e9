# Runs first, and before every raw REPL session: nothing is done here that could keep a host out.
# What starts the app is main.py.
