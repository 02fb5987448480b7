"""Findings for calls around the hour that a clock shows twice, computed from nothing but the checks.

Reads JSON from standard input: the checks (number, at, suppress), when the record begins, for how
many seconds an answer may be used, the zone, and the calls (number, local time). Writes one finding
a line. Knows nothing of metrust's code: the calendar is Python's, from the system's zone files.
"""

import json
import sys
from bisect import bisect_right
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

TOLERANCE = timedelta(seconds=1)
LOOK_BACK = timedelta(days=31)
MILDEST_FIRST = ["checked_clear", "not_covered", "check_expired", "never_checked", "checked_suppressed"]


def finding(checks, call, begins, validity):
    times = [at for at, _ in checks]
    place = bisect_right(times, call + TOLERANCE) - 1
    if place < 0 or times[place] < call - LOOK_BACK:
        return "not_covered" if call + TOLERANCE < begins else "never_checked"
    at, suppress = checks[place]
    if call > at + validity:
        return "check_expired"
    return "checked_suppressed" if suppress else "checked_clear"


def moments(local, zone):
    """Every moment at which a clock in that zone shows this."""
    shown = datetime.fromisoformat(local)
    found = []
    for fold in (0, 1):
        at = shown.replace(tzinfo=zone, fold=fold).astimezone(timezone.utc)
        if at.astimezone(zone).replace(tzinfo=None) == shown and at not in found:
            found.append(at)
    return found


def main():
    told = json.load(sys.stdin)
    zone = ZoneInfo(told["zone"])
    begins = datetime.fromisoformat(told["begins"])
    validity = timedelta(seconds=told["validity"])
    checks = {}
    for check in told["checks"]:
        of_number = checks.setdefault(check["number"], [])
        of_number.append((datetime.fromisoformat(check["at"]), check["suppress"]))
    for of_number in checks.values():
        of_number.sort()
    for number, local in told["calls"]:
        of_number = checks.get(number, [])
        found = [finding(of_number, at, begins, validity) for at in moments(local, zone)]
        print(min(found, key=MILDEST_FIRST.index))


main()
