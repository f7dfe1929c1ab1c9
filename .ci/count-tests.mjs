// Reads vitest's JSON report and prints `PASSED FAILED`, then a line for each of the first failures: its file and its
// title. A skipped test counts as failed, and so does a file that failed without a failing test in it (it did not load,
// or a hook of it failed).
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const MAX_NAMED = 15;

const report = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
let passed = 0;
const failures = [];
for (const file of report.testResults) {
  const before = failures.length;
  const name = relative(process.cwd(), file.name);
  for (const test of file.assertionResults) {
    if (test.status === 'passed') passed += 1;
    else failures.push(`${name}: ${test.fullName} (${test.status})`);
  }
  if (file.status !== 'passed' && failures.length === before) failures.push(`${name}: the file itself`);
}
process.stdout.write(`${[`${passed} ${failures.length}`, ...failures.slice(0, MAX_NAMED)].join('\n')}\n`);
