#!/usr/bin/env bash
# Runs every test and closes with a line of how many passed and failed.
set -uo pipefail

results=$(mktemp)
trap 'rm -f "$results"' EXIT

vitest run --reporter=verbose --reporter=json --outputFile.json="$results"
status=$?

node --input-type=module --eval '
  import { readFileSync } from "node:fs"
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(process.argv[1]))
  const skipped = numPendingTests > 0 ? `, ${numPendingTests} skipped` : ""
  console.log(`${numPassedTests} passed, ${numFailedTests} failed${skipped}`)
' "$results"
exit "$status"
