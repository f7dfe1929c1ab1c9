import { spawn } from 'node:child_process';
import { cleanEnvironment } from '../support/clean-environment.ts';

/** How a program ended and what it wrote. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a run may differ in. */
export interface RunOptions {
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Show the program's output while it runs. */
  readonly show?: boolean;
  /** Keep the caller's environment: package registries may need its certificates. */
  readonly inherit?: boolean;
}

/** Runs a program to its end, whatever its exit code. */
export async function attempt(
  program: string,
  argumentsGiven: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  const environment = cleanEnvironment(options.environment);
  const child = spawn(program, [...argumentsGiven], {
    env: options.inherit === true ? { ...process.env, ...environment } : environment,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (options.show === true) process.stdout.write(text);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    if (options.show === true) process.stdout.write(text);
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
}

/** Runs a program and returns what it wrote; throws with its errors when it fails. */
export async function run(
  program: string,
  argumentsGiven: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await attempt(program, argumentsGiven, options);
  if (code === 0) return stdout;
  throw new Error(
    `${program} ${argumentsGiven.join(' ')}: exit code ${code}\n${stdout.slice(-3000)}\n${stderr.slice(-3000)}`,
  );
}
