import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { systemClock } from '../../src/core/clock.ts';
import { Secret } from '../../src/core/secret.ts';
import { startDemoStore } from '../../src/demo/store/demo-store.ts';
import { account, alice, bob } from './sidecar.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const entry = join(root, 'dist/main.js');

/** How the built program is started. */
export interface ProgramOptions {
  /** V8's old space, MiB; what the chart sets for its default memory limit when absent. */
  readonly heapMiB?: number;
  /** YAML of `server.limits`. */
  readonly limits?: string;
  /** Further YAML in the braces of `server`. */
  readonly server?: string;
  /** YAML of the `directory` section, with the secrets `ALICE`, `BOB` and `CAROL` in the environment. */
  readonly directory?: string;
  /** Further YAML at the top level. */
  readonly further?: string;
  /** Files beside the configuration, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Memory is allocated as in the image, by Debian's libjemalloc2. */
  readonly isAllocatedAsInImage?: boolean;
  /** Further environment variables. */
  readonly variables?: Readonly<Record<string, string>>;
  /** A store other than the demo store in this process; its key is `STOREKEY`. */
  readonly store?: { readonly url: string; readonly secretAccessKey: string };
}

/** The built program in a process of its own, with a heap as small as in a container. */
export interface Program {
  readonly pid: number;
  readonly url: string;
  readonly adminUrl: string;
  /** The path of its configuration file. */
  readonly configurationFile: string;
  readonly storeUrl: string;
  readonly storeCredentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** True until the process has ended. */
  isRunning(): boolean;
  /** The exit code once the process has ended by itself; `null` before, and where a signal ended it. */
  exitCode(): number | null;
  /** Closes the reading end of its stderr. */
  closeStderr(): void;
  /** Everything it wrote to stdout and stderr. */
  output(): string;
  metrics(): Promise<string>;
  /** The value of a series as it is written in the exposition text; NaN when there is none. */
  metric(series: string): Promise<number>;
  /** Resident memory, MiB: now, and at its highest so far. */
  memory(): Promise<{ readonly residentMiB: number; readonly peakMiB: number }>;
  /** Time that it has kept a processor busy, in milliseconds; known to about ten. */
  cpuMs(): Promise<number>;
  /** Open file descriptors. */
  descriptors(): Promise<number>;
  stop(): Promise<void>;
}

/** A user who may delete objects below `data/mine/`, and nothing else. */
export const carol: { accessKeyId: string; secretAccessKey: string } = {
  accessKeyId: 'AKIACAROLCAROLCAROL1',
  secretAccessKey: randomBytes(30).toString('base64'),
};

/** alice may do everything with S3 and assume the roles; bob may do nothing; see {@link carol}. */
export const programDirectory: string = `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { All: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: ["s3:*", "sts:*"], Resource: "*" }] } }
    - name: bob
      accessKeys: [{ accessKeyId: ${bob.accessKeyId}, secretAccessKey: { env: BOB } }]
    - name: carol
      accessKeys: [{ accessKeyId: ${carol.accessKeyId}, secretAccessKey: { env: CAROL } }]
      inlinePolicies: { Mine: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:DeleteObject", Resource: "arn:aws:s3:::data/mine/*" }] } }
  roles:
    - name: data
      inlinePolicies: { All: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:*", Resource: "*" }] } }
      trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "arn:aws:iam::${account}:root" }, Action: "sts:AssumeRole" }] }
`;

/** Starts the built program in front of the demo store. */
export async function startProgram(options: ProgramOptions = {}): Promise<Program> {
  await build();
  const storeSecret = options.store?.secretAccessKey ?? randomBytes(30).toString('base64');
  const store = await startDemoStore({
    accessKeyId: 'STOREKEY',
    secretAccessKey: new Secret(storeSecret),
    region: 'us-east-1',
    clock: systemClock,
  });
  const storeUrl = options.store?.url ?? store.url;
  const folder = await mkdtemp(join(tmpdir(), 'sts-sidecar-'));
  const file = join(folder, 'sidecar.yaml');
  await writeFile(file, configuration(options, storeUrl));
  for (const [name, content] of Object.entries(options.files ?? {}))
    await writeFile(join(folder, name), content);
  const flags = [`--max-old-space-size=${options.heapMiB ?? 128}`, '--max-semi-space-size=16'];
  const child = spawn(process.execPath, [...flags, entry, 'serve', '--config', file], {
    env: {
      PATH: process.env['PATH'],
      ALICE: alice.secretAccessKey,
      BOB: bob.secretAccessKey,
      CAROL: carol.secretAccessKey,
      STORE: storeSecret,
      TOKENS: randomBytes(32).toString('base64'),
      ...options.variables,
      ...(options.isAllocatedAsInImage === true ? await imageAllocator() : {}),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      // The first and the last lines are enough to see what happened.
      output = output.length > 1_000_000 ? `${output.slice(0, 10_000)}${text}` : output + text;
    });
  }
  const ended = once(child, 'exit');
  const urls = await readUrls(() => output, ended);
  const metrics = async (): Promise<string> => (await fetch(`${urls.adminUrl}/metrics`)).text();
  return {
    pid: child.pid ?? 0,
    ...urls,
    configurationFile: file,
    storeUrl,
    storeCredentials: { accessKeyId: 'STOREKEY', secretAccessKey: storeSecret },
    isRunning: () => child.exitCode === null && child.signalCode === null,
    exitCode: () => child.exitCode,
    closeStderr: () => void child.stderr.destroy(),
    output: () => output,
    metrics,
    metric: async (series) => {
      const line = (await metrics()).split('\n').find((one) => one.startsWith(`${series} `));
      return Number(line?.slice(series.length) ?? Number.NaN);
    },
    memory: async () => {
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(
          `the program has ended (${child.signalCode ?? child.exitCode}): ${output.slice(-3000)}`,
        );
      }
      return readMemory(child.pid ?? 0);
    },
    cpuMs: () => readCpuMs(child.pid ?? 0),
    descriptors: async () => (await readdir(`/proc/${child.pid}/fd`)).length,
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The variables by which `deploy/Dockerfile` chooses the allocator, with the library of this machine. */
async function imageAllocator(): Promise<Record<string, string>> {
  const [, settings] =
    /MALLOC_CONF=(\S+)/.exec(await readFile(join(root, 'deploy/Dockerfile'), 'utf8')) ?? [];
  for (const name of await readdir('/usr/lib')) {
    const library = join('/usr/lib', name, 'libjemalloc.so.2');
    if (settings !== undefined && (await changedAt(library)) > 0) {
      return { LD_PRELOAD: library, MALLOC_CONF: settings };
    }
  }
  throw new Error('the allocator of the image is missing: install libjemalloc2');
}

function configuration(
  { limits = '{}', server = '', directory, further }: ProgramOptions,
  storeUrl: string,
): string {
  return `apiVersion: sts-sidecar/v1
server: { listen: "127.0.0.1:0", limits: ${limits}, ${server} }
admin: { listen: "127.0.0.1:0" }
backend: { endpoint: "${storeUrl}", probeSeconds: 0, region: us-east-1, credentials: { accessKeyId: STOREKEY, secretAccessKey: { env: STORE } } }
account: { id: "${account}" }
tokens: { sealWith: k1, keys: [{ id: k1, secret: { env: TOKENS } }] }
log: { requests: false }
${further ?? ''}
${directory ?? programDirectory}`;
}

async function readUrls(
  output: () => string,
  ended: Promise<unknown>,
): Promise<{ url: string; adminUrl: string }> {
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  for (;;) {
    const [, url, adminUrl] = /S3 and STS on (\S+), health and metrics on (\S+)/.exec(output()) ?? [];
    if (url !== undefined && adminUrl !== undefined) return { url, adminUrl: adminUrl.replace(/,$/, '') };
    if (hasEnded) throw new Error(`the program did not start: ${output()}`);
    await setTimeout(20);
  }
}

async function readMemory(pid: number): Promise<{ residentMiB: number; peakMiB: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kibibytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN);
  return { residentMiB: kibibytes('VmRSS') / 1024, peakMiB: kibibytes('VmHWM') / 1024 };
}

/** Ticks of user and system time; a hundred to a second on every Linux that Node runs on. */
async function readCpuMs(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const [user = Number.NaN, system = Number.NaN] = text
    .slice(text.lastIndexOf(')'))
    .split(' ')
    .slice(12, 14)
    .map(Number);
  return (user + system) * 10;
}

const lock = join(root, 'node_modules/.sts-sidecar-build.lock');

/** Compiles the program unless it is newer than its sources; one compiler at a time for all tests. */
export async function build(): Promise<void> {
  for (;;) {
    if (await isFresh()) return;
    try {
      await mkdir(lock);
      break;
    } catch {
      if (Date.now() - (await changedAt(lock)) > 120_000) await rmdir(lock).catch(() => undefined);
      await setTimeout(200);
    }
  }
  try {
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    await promisify(execFile)(process.execPath, [compiler, '-p', join(root, 'tsconfig.build.json')]);
  } finally {
    await rmdir(lock);
  }
}

async function isFresh(): Promise<boolean> {
  const builtAt = await changedAt(entry);
  const names = await readdir(join(root, 'src'), { recursive: true });
  const changes = await Promise.all(names.map((name) => changedAt(join(root, 'src', name))));
  return builtAt > Math.max(...changes);
}

async function changedAt(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}
