import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { images } from './images.ts';
import { attempt, type Outcome, run } from './run.ts';

const configuration = `apiVersion: sts-sidecar/v1
server: { listen: "127.0.0.1:0" }
admin: { listen: "127.0.0.1:0" }
backend:
  endpoint: http://127.0.0.1:9
  region: us-east-1
  credentials: { accessKeyId: { env: KEY }, secretAccessKey: { env: SECRET } }
account: { id: "123456789012" }
tokens: { sealWith: k1, keys: [{ id: k1, secret: { env: TOKEN_KEY } }] }
directory: {}
`;

const podman = (...argumentsGiven: string[]): Promise<Outcome> =>
  attempt('test/cluster/podman.sh', argumentsGiven, { inherit: true });

describe('the image, read-only, without capabilities, as user 65532', () => {
  const name = `sts-sidecar-test-${process.pid}`;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sts-sidecar-image-'));
    const file = join(folder, 'sidecar.yaml');
    await writeFile(file, configuration);
    // Read by the user in the image, whatever the caller's umask.
    await chmod(file, 0o644);
    const started = await podman(
      'run',
      '--detach',
      `--name=${name}`,
      '--pull=never',
      '--network=host',
      '--read-only',
      '--read-only-tmpfs=false',
      '--cap-drop=all',
      '--security-opt=no-new-privileges',
      `--volume=${file}:/etc/sts-sidecar/sidecar.yaml:ro`,
      '--env=KEY=ANYKEY01',
      '--env=SECRET=not-used-here-at-all',
      `--env=TOKEN_KEY=${Buffer.alloc(32, 7).toString('base64')}`,
      images.product,
    );
    expect(started.code, started.stderr).toBe(0);
  });

  afterAll(async () => {
    await podman('rm', '--force', '--time=0', name);
    await rm(folder, { recursive: true, force: true });
  });

  it('becomes ready', async () => {
    await expect.poll(async () => adminUrl(await output()), { timeout: 20_000 }).toBeDefined();
    const url = adminUrl(await output());
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  it('runs as 65532 and cannot write its own files', async () => {
    const { stdout } = await podman(
      'exec',
      name,
      'node',
      '-e',
      "console.log(process.getuid(), process.getgid()); try { require('fs').writeFileSync('/app/x', '') } catch (e) { console.log(e.code) }",
    );
    expect(stdout).toMatch(/^65532 65532\n(EROFS|EACCES)\n$/);
  });

  it("gives V8's heap two fifths of its memory", async () => {
    const script =
      "const limit = process.constrainedMemory(), all = require('os').totalmem(); console.log(require('v8').getHeapStatistics().heap_size_limit / (limit > 0 && limit < all ? limit : all))";
    const { stdout, stderr } = await podman('exec', name, 'node', '-e', script);
    // With three semi-spaces of 16 MiB.
    expect(Number(stdout), stderr).toBeGreaterThan(0.39);
    expect(Number(stdout), stderr).toBeLessThan(0.6);
  });

  it('ships no shell, no development package, no source and no demo store', async () => {
    expect(
      (
        await podman(
          'run',
          '--rm',
          '--pull=never',
          '--network=none',
          '--entrypoint=sh',
          images.product,
          '-c',
          'true',
        )
      ).code,
    ).toBe(127);
    const { stdout } = await podman(
      'exec',
      name,
      'node',
      '-e',
      "console.log(['src', 'dist/demo', 'node_modules/vitest', 'node_modules/typescript', 'node_modules/jose'].map((n) => require('fs').existsSync('/app/' + n)).join())",
    );
    expect(stdout).toBe('false,false,false,false,true\n');
  });

  it('says that the demo is not part of it', async () => {
    const { code, stderr } = await podman('exec', name, 'node', '/app/dist/main.js', 'demo', '--once');
    expect(code).toBe(2);
    expect(stderr).toContain('the demo is not part of the container image');
  });

  it('ends soon after SIGTERM, with exit code 0', async () => {
    const from = performance.now();
    await run('test/cluster/podman.sh', ['stop', '--time=20', name], { inherit: true });
    expect(performance.now() - from).toBeLessThan(10_000);
    const { stdout } = await podman('inspect', '--format={{.State.ExitCode}}', name);
    expect(stdout).toBe('0\n');
  });

  async function output(): Promise<string> {
    const { stdout, stderr } = await podman('logs', name);
    return stdout + stderr;
  }
});

function adminUrl(log: string): string | undefined {
  return /health and metrics on (http:\/\/[0-9.:]+)/.exec(log)?.[1];
}
