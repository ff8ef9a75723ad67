"""Runs Autobahn's cases against an echo server: autobahn.py PATH-OF-THE-ECHO-SERVER"""
import asyncio, collections, subprocess, sys

import kosoku

COMPRESSION = ["12.*", "13.*"]  # which we do not offer
CASES = 301  # that are left

async def run(address):
    try:
        url = f"ws://{address}"
        return await kosoku.run_fuzzingclient(url, exclude_cases=COMPRESSION, concurrency=8)
    except kosoku.FailureError as failure:
        return failure.results

def show(result):
    verdicts = f"{result.behavior.value}, close {result.behavior_close.value}"
    print(f"{result.case_id}: {verdicts}: {result.result} {result.result_close}")
    print(f"  {result.description}\n  {result.expectation}\n  received: {result.received}")

with subprocess.Popen([sys.argv[1]], stdout=subprocess.PIPE, text=True) as echo:
    try:
        results = asyncio.run(asyncio.wait_for(run(echo.stdout.readline().strip()), 60))
    finally:
        echo.kill()

# Non-strict is allowed, for an error found late for example, but we are strict.
failed = [result for result in results
          if not result.passed or result.behavior.value == "NON-STRICT"]
for result in failed:
    show(result)
verdicts = collections.Counter(result.behavior.value for result in results)
print(f"Autobahn: {len(results)} cases, {dict(verdicts)}")
sys.exit(bool(failed) or len(results) != CASES)
