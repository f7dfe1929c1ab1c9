import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { cleanEnvironment } from '../support/clean-environment.ts';
import { abridge } from './abridge.ts';
import { cachedFolder } from './components.ts';

/** Which boto3: the distribution's, or the current one. */
export type Boto3 = 'debian' | 'current';

/** A Python with what a script needs: a boto3, or an engine of the cache. */
export type Python = Boto3 | 'pyiceberg' | 'spark';

// A test has a limit of its own. Spark takes half a minute where nothing else runs.
const timeoutMs = 280_000;

/** Runs a script in `test/interop/python/` with its input as JSON on stdin, and returns what it prints, as JSON. */
export async function runPython(
  installed: Python,
  script: string,
  input: unknown,
  environment: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const component = installed === 'current' ? 'boto3' : installed;
  const python = component === 'debian' ? '/usr/bin/python3' : join(cachedFolder(component), 'bin', 'python');
  const file = new URL(`python/${script}`, import.meta.url).pathname;
  const printed = await new Promise<string>((resolve, reject) => {
    const child = execFile(
      python,
      ['-W', 'ignore', file],
      { env: cleanEnvironment(environment), timeout: timeoutMs },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`${script} failed: ${abridge(stderr)}`));
      },
    );
    child.stdin?.end(JSON.stringify(input));
  });
  return JSON.parse(printed);
}
