// Reads vitest's JSON report and prints `PASSED FAILED`. A skipped test counts as failed, and so does a file that
// failed without a failing test in it (it did not load, or a hook of it failed).
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
let passed = 0;
let failed = 0;
for (const file of report.testResults) {
  const before = failed;
  for (const test of file.assertionResults) {
    if (test.status === 'passed') passed += 1;
    else failed += 1;
  }
  if (file.status !== 'passed' && failed === before) failed += 1;
}
process.stdout.write(`${passed} ${failed}\n`);
