"""Random power cuts in QoS 2 exchanges: micropython power_cuts.py COUNT SEED

Prints one line: schedules, cuts in them, and messages that were counted on both sides.
"""

import sys

from test_mqtt_power import live, schedules

count, seed = int(sys.argv[1]), int(sys.argv[2])
cuts = 0
for version, plan in schedules(count, seed):
    live(version, plan)
    cuts += len(plan)
print(count, "schedules,", cuts, "cuts,", count * 4, "messages, each exactly once")
