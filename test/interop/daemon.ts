import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanEnvironment } from '../support/clean-environment.ts';
import { type ComponentName, requireComponent } from './components.ts';

/** A long-running program of the cluster. */
export interface Daemon {
  readonly name: string;
  /** The process id. */
  readonly pid: number;
  /** Whether it still runs. */
  isRunning(): boolean;
  /** Ends it and waits until it is gone: asks first, then kills after `graceMs`. Safe to call twice. */
  stop(graceMs: number): Promise<void>;
}

/**
 * Starts a program in the foreground, with further variables, its output discarded (its log file has all of it). The kernel
 * kills it when this process dies, however that happens, so an aborted test run leaves nothing behind.
 */
export async function startDaemon(
  name: ComponentName,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Daemon> {
  const child = spawn(requireComponent('setpriv'), ['--pdeathsig', 'KILL', requireComponent(name), ...args], {
    env: cleanEnvironment(environment),
    stdio: 'ignore',
  });
  await once(child, 'spawn');
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} has no process id`);
  return { name, pid, isRunning: () => isRunning(child), stop: (graceMs) => stop(child, graceMs) };
}

/** Runs a program of the cluster to its end and returns its standard output; kills it after `timeoutMs`. */
export async function runTool(
  name: ComponentName,
  args: readonly string[],
  timeoutMs: number = 30_000,
): Promise<string> {
  const path = requireComponent(name);
  return await new Promise((resolve, reject) => {
    const options = { env: cleanEnvironment(), timeout: timeoutMs, killSignal: 'SIGKILL' } as const;
    execFile(path, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      // The standard output may hold keys, so only the error stream is passed on.
      else reject(new Error(`${name} failed (${outcome(error)}): ${stderr.slice(-2000)}`));
    });
  });
}

/** The last `lines` lines of a log file; empty where there is none. */
export function tailOf(path: string, lines: number): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}

function outcome(error: { readonly code?: unknown; readonly signal?: unknown }): string {
  return String(error.code ?? error.signal ?? 'unknown');
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function stop(child: ChildProcess, graceMs: number): Promise<void> {
  if (!isRunning(child)) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const ended = await Promise.race([exited.then(() => true), sleep(graceMs, false)]);
  if (ended) return;
  child.kill('SIGKILL');
  await exited;
}
