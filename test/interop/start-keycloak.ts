import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { cp, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanEnvironment } from '../support/clean-environment.ts';
import { cachedFolder, requireComponent } from './components.ts';
import { tailOf } from './daemon.ts';
import { freePorts } from './free-ports.ts';

/** A Keycloak for one test file, with its built-in database. */
export interface Keycloak {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** The issuer of a realm. */
  issuer(realm: string): string;
  /** Asks the admin REST API, as the administrator; answers the id of what was created, if anything was. */
  administer(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<string>;
  /** What the token endpoint of a realm answers to a grant. */
  grant(realm: string, parameters: Readonly<Record<string, string>>): Promise<Tokens>;
  /** Ends it and removes its files. */
  stop(): Promise<void>;
}

/** The tokens of a grant. */
export interface Tokens {
  readonly access_token: string;
  /** Absent without the scope `openid`. */
  readonly id_token?: string;
}

const timeoutMs = 170_000;
const graceMs = 10_000;
const administrator = 'admin';

/**
 * Starts Keycloak in development mode on a free loopback port and waits until its administrator can sign in, which
 * takes 20 to 90 seconds. It rewrites its own program files at its first start, so it runs from a copy.
 */
export async function startKeycloak(): Promise<Keycloak> {
  const folder = await mkdtemp(join(tmpdir(), 'sts-sidecar-keycloak-'));
  const onExit = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', onExit);
  const password = randomBytes(20).toString('hex');
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const log = join(folder, 'output.log');
  const child = await spawnKeycloak(folder, log, port, password);
  const stop = async (): Promise<void> => {
    await stopProcess(child);
    process.off('exit', onExit);
    await rm(folder, { recursive: true, force: true });
  };
  const signIn = { grant_type: 'password', client_id: 'admin-cli', username: administrator, password };
  try {
    await untilReady(child, () => grant(url, 'master', signIn));
  } catch (error) {
    const lines = tailOf(log, 20);
    await stop();
    throw new Error(`Keycloak did not start:\n${lines}`, { cause: error });
  }
  return {
    url,
    issuer: (realm) => `${url}/realms/${realm}`,
    // The administrator's token lives for a minute only.
    administer: async (method, path, body) => {
      const { access_token: token } = await grant(url, 'master', signIn);
      return await administer(`${url}/admin/realms${path}`, { method, token, body });
    },
    grant: (realm, parameters) => grant(url, realm, parameters),
    stop,
  };
}

async function spawnKeycloak(
  folder: string,
  log: string,
  port: number,
  password: string,
): Promise<ChildProcess> {
  const home = join(folder, 'keycloak');
  // The command-line clients are not needed.
  const installed = cachedFolder('keycloak');
  const filter = (path: string): boolean => path !== join(installed, 'bin', 'client');
  await cp(installed, home, { recursive: true, filter });
  const output = await open(log, 'w');
  const child = spawn(
    requireComponent('setpriv'),
    [
      '--pdeathsig',
      'KILL',
      join(home, 'bin', 'kc.sh'),
      'start-dev',
      '--http-host=127.0.0.1',
      `--http-port=${port}`,
    ],
    {
      env: cleanEnvironment({
        KC_BOOTSTRAP_ADMIN_USERNAME: administrator,
        KC_BOOTSTRAP_ADMIN_PASSWORD: password,
      }),
      stdio: ['ignore', output.fd, output.fd],
    },
  );
  await once(child, 'spawn');
  await output.close();
  return child;
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

async function untilReady(child: ChildProcess, probe: () => Promise<unknown>): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const fault = await probe().then(
      () => undefined,
      (error: unknown) => error,
    );
    if (fault === undefined) return;
    if (hasEnded(child) || performance.now() > deadline) throw fault;
    await sleep(250);
  }
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  if (await Promise.race([exited.then(() => true), sleep(graceMs, false)])) return;
  child.kill('SIGKILL');
  await exited;
}

async function grant(
  url: string,
  realm: string,
  parameters: Readonly<Record<string, string>>,
): Promise<Tokens> {
  const response = await fetch(`${url}/realms/${realm}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams(parameters),
    signal: AbortSignal.timeout(20_000),
  });
  if (!response.ok) throw new Error(`Keycloak grants nothing: ${response.status} ${await response.text()}`);
  return (await response.json()) as Tokens;
}

async function administer(
  url: string,
  { method, token, body }: { method: string; token: string; body: unknown },
): Promise<string> {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`Keycloak refuses ${method} ${url}: ${response.status} ${text}`);
  return response.headers.get('location')?.split('/').pop() ?? text;
}
