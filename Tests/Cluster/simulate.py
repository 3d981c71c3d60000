#!/usr/bin/env python3
"""Stragglers and failures against the rule that groups cases into tasks: Tests/Cluster/simulate.py [CASES] [SLOTS].

Cases take a log-normal time around a minute, one in a hundred five times as long. Every task costs the scheduler a start; each
slot dies on average once in MEAN_HOURS, and then the case that it computes is lost and its task waits two minutes, as Slurm makes
it. Prints for each length of tasks how many there are, how long all take, and what is lost, against work without any loss.
"""
import heapq
import random
import sys

START_SECONDS = 15
REQUEUE_SECONDS = 120
MEAN_HOURS = 50


def groups(seconds, target):
    """Cases in order; a task ends before its sum exceeds the target (Sources/Cohort/CohortPlan.swift)."""
    found, total = [], 0.0
    for own in seconds:
        if not found or total + own > target:
            found.append([])
            total = 0.0
        found[-1].append(own)
        total += own
    return found


def run(expected, real, target, slots, generator):
    """Seconds until all tasks are done, seconds of lost work, and the number of tasks."""
    cases = iter(real)
    tasks = [[next(cases) for _ in group] for group in groups(expected, target)]
    waiting = [(0.0, number, 0) for number in range(len(tasks))]
    heapq.heapify(waiting)
    free = [0.0] * slots
    end, lost = 0.0, 0.0
    while waiting:
        ready, number, first = heapq.heappop(waiting)
        now = max(heapq.heappop(free), ready) + START_SECONDS
        death = now + generator.expovariate(1 / (3600 * MEAN_HOURS))
        lost += START_SECONDS
        for position in range(first, len(tasks[number])):
            if now + tasks[number][position] > death:
                lost += death - now
                heapq.heappush(waiting, (death + REQUEUE_SECONDS, number, position))
                now = death
                break
            now += tasks[number][position]
        end = max(end, now)
        heapq.heappush(free, now)
    return end, lost, len(tasks)


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    slots = int(sys.argv[2]) if len(sys.argv) > 2 else 80
    generator = random.Random(1)
    expected = [60 * generator.lognormvariate(0, 0.4) for _ in range(count)]
    real = [own * generator.lognormvariate(0, 0.2) * (5 if generator.random() < 0.01 else 1) for own in expected]
    ideal = sum(real) / slots
    print(f"{count} cases on {slots} slots; without any loss {ideal / 3600:.2f} hours")
    print("| minutes of a task | tasks | hours | above the least | lost |")
    print("|---|---|---|---|---|")
    for minutes in [1, 3, 5, 10, 15, 30, 60, 120]:
        end, lost, tasks = run(expected, real, 60 * minutes, slots, random.Random(2))
        print(f"| {minutes} | {tasks} | {end / 3600:.2f} | {100 * (end / ideal - 1):.1f} % | {100 * lost / sum(real):.1f} % |")


if __name__ == "__main__":
    main()
