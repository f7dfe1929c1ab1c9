import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import packageFile from '../../package.json' with { type: 'json' };
import { version } from '../../src/version.ts';
import { execute, file, missingFile, removeFiles } from './command.ts';

afterAll(removeFiles);

const key = Buffer.alloc(32, 1).toString('base64');
const valid = `apiVersion: sts-sidecar/v1
backend:
  endpoint: http://127.0.0.1:9001
  credentials: { accessKeyId: KEY, secretAccessKey: a-literal-secret }
account: { id: "123456789012" }
tokens: { sealWith: k, keys: [{ id: k, secret: ${key} }] }
directory: { users: [], roles: [], policies: {} }
`;

describe('config check', () => {
  it('exits 0 for a good file and warns of literal secrets without showing them', async () => {
    const { code, data, prose } = await execute('config', 'check', file('good.yaml', valid));
    expect([code, data]).toEqual([0, '']);
    expect(prose).toContain('warning:');
    expect(prose).not.toContain('a-literal-secret');
    expect(prose).not.toContain(key);
  });

  it('refuses variables of OpenTelemetry that cannot be followed, which other commands do not look at', async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', 'http://127.0.0.1:4317');
    vi.stubEnv('OTEL_EXPORTER_OTLP_PROTOCOL', 'thrift');
    const path = file('traced.yaml', valid);
    const checked = await execute('config', 'check', path);
    const differences = await execute('config', 'diff', path, path);
    vi.unstubAllEnvs();
    expect(checked.code).toBe(2);
    expect(checked.prose).toContain('OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf or http/json');
    expect(differences.code).toBe(0);
  });

  it('warns of gRPC, which is not spoken, and refuses it when told to be strict', async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', 'http://127.0.0.1:4317');
    vi.stubEnv('OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc');
    const path = file('traced.yaml', valid);
    const [lenient, strict] = [
      await execute('config', 'check', path),
      await execute('config', 'check', '--strict', path),
    ];
    vi.unstubAllEnvs();
    expect(lenient.code).toBe(0);
    expect(lenient.prose).toContain('OTEL_EXPORTER_OTLP_PROTOCOL warning: is grpc, so no spans are exported');
    expect(strict.code).toBe(2);
  });

  it('prints the role ARNs that clients of MinIO-style providers must name', async () => {
    const providers = valid.replace(
      'directory: { users: [], roles: [], policies: {} }',
      `directory:
  policies: { Read: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:GetObject", Resource: "*" }] } }
  identityProviders:
    - { kind: oidc, name: company, issuer: "https://login.example.com", clientIds: [minio-client-app], rolePolicies: [Read] }
    - { kind: oidc, name: claims, issuer: "https://login.example.com", clientIds: [app], claimName: policy }
    - { kind: custom-token, name: plugin, url: "http://localhost:8081", rolePolicies: [Read] }`,
    );
    const { code, prose } = await execute('config', 'check', file('providers.yaml', providers));
    expect(code).toBe(0);
    expect(prose).toContain('company: RoleArn arn:minio:iam:us-east-1::role/nOybJqMNzNmroqEKq5D0EUsRZw0');
    expect(prose).toContain('plugin: RoleArn arn:minio:iam:::role/idmp-vGxBdLkOc8mQPU1-UQbBh-yWWVQ');
    expect(prose).not.toContain('claims: RoleArn');
  });

  it('exits 2 and lists every problem with its place', async () => {
    const broken = valid
      .replace('endpoint: http', 'endpiont: http')
      .replace('id: "123456789012"', 'id: 12')
      .replace('sealWith: k,', 'sealWith: other,')
      .replace('roles: []', 'roles: [{ name: r }]');
    const { code, prose } = await execute('config', 'check', file('broken.yaml', broken));
    expect(code).toBe(2);
    const places = prose.match(/broken\.yaml:\d+:\d+ [\w.[\]]+: /g) ?? [];
    expect(places.length).toBeGreaterThanOrEqual(4);
    expect(prose).toContain('did you mean');
    expect(prose).not.toContain('a-literal-secret');
  });

  const silent = valid
    .replace('a-literal-secret', '{ file: store-secret }')
    .replace(`secret: ${key}`, 'secret: { file: token-key }')
    .replace(', policies: {} }', ' }');
  const misspelt = silent.replace(
    'users: []',
    'policies: { P: { Statement: { Effect: Deny, Action: "s3:GetObjects", Resource: "*" } } }, users: []',
  );

  it.each([
    ['nothing to warn about', silent, 0, ''],
    ['an action that no request asks for', misspelt, 2, '1 warning, and --strict allows none'],
  ])('treats warnings as errors with --strict: %s', async (_, text, exitCode, said) => {
    file('store-secret', 'a-secret-of-the-store');
    file('token-key', key);
    const path = file('strict.yaml', text);
    const lenient = await execute('config', 'check', path);
    expect([lenient.code, lenient.data]).toEqual([0, '']);
    const strict = await execute('config', 'check', '--strict', path);
    expect([strict.code, strict.data]).toEqual([exitCode, '']);
    expect(strict.prose).toContain(said);
    const warning =
      /strict\.yaml:7:\d+ directory\.policies\.P\.Statement\.Action: warning: no request asks for the action "s3:GetObjects" \(did you mean "s3:GetObject"\?\)/;
    for (const { prose } of [lenient, strict]) expect(warning.test(prose)).toBe(exitCode === 2);
  });

  it('exits 2 for a missing file', async () => {
    expect((await execute('config', 'check', missingFile)).code).toBe(2);
  });
});

describe('keys generate', () => {
  it('prints one fresh key of 32 bytes to stdout', async () => {
    const [one, two] = [await execute('keys', 'generate'), await execute('keys', 'generate')];
    expect(one.code).toBe(0);
    expect(Buffer.from(one.data, 'base64')).toHaveLength(32);
    expect(one.data).not.toBe(two.data);
  });
});

describe('serve', () => {
  it('exits 2 without a configuration and with a broken one', async () => {
    expect((await execute('serve')).code).toBe(2);
    expect((await execute('serve', '--config', file('empty.yaml', ''))).code).toBe(2);
    expect((await execute('serve', '--config', file('fine.yaml', valid), '--listen', 'nonsense')).code).toBe(
      2,
    );
  });
});

describe('SIGHUP', () => {
  it('does not end the process while the configuration is being read', async () => {
    process.removeAllListeners('SIGHUP');
    onTestFinished(() => void process.removeAllListeners('SIGHUP'));
    await execute('serve', '--config', missingFile);
    expect(process.listenerCount('SIGHUP')).toBe(1);
  });
});

describe('start-up', () => {
  it('prints the warnings of config check, and goes on', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const listen = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
    const warned = valid.replace(
      'policies: {}',
      'policies: { P: { Statement: { Effect: Deny, Action: "*", Resource: "arn:aws:s3::reports/*" } } }',
    );
    const { code, prose } = await execute(
      'serve',
      '--config',
      file('warned.yaml', warned),
      '--listen',
      listen,
    );
    taken.close();
    expect(code).toBe(1);
    expect(prose).toMatch(/^\S+warned\.yaml:7:\d+ directory\.policies\.P\.Statement\.Resource: warning: /m);
    expect(prose).toContain('(did you mean "arn:aws:s3:::reports/*"?)');
    expect(prose).toMatch(/cannot listen/);
  });
});

describe('demo', () => {
  it('runs its scenario once and exits 0', async () => {
    const { code, data } = await execute('demo', '--once');
    expect(code).toBe(0);
    expect(data).toContain('ExpiredToken');
    expect(data).toContain('denied s3://demo/private/plan.txt');
  });

  it('exits 1 for a port that is in use, and says what to do', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { code, prose } = await execute('demo', '--port', String((taken.address() as AddressInfo).port));
    taken.close();
    expect(code).toBe(1);
    expect(prose).toContain('choose another port with --port');
  });

  it.each(['-1', '65536', 'x'])('exits 2 for port %s', async (port) => {
    expect((await execute('demo', '--port', port)).code).toBe(2);
  });
});

describe('the command line', () => {
  it.each([['nonsense'], ['config'], ['policy'], ['serve', '--surprise'], ['demo', 'extra']])(
    'exits 2 for %s %s',
    async (...words) => {
      expect((await execute(...words.filter((word) => word !== undefined))).code).toBe(2);
    },
  );

  it.each([
    [],
    ['serve'],
    ['demo'],
    ['config', 'check'],
    ['keys', 'generate'],
    ['policy', 'simulate'],
    ['policy', 'test'],
  ])('explains %s %s with --help', async (...words) => {
    const { code, data } = await execute(...words.filter((word) => word !== undefined), '--help');
    expect(code).toBe(0);
    expect(data).toContain('Usage: sts-sidecar');
  });

  it('prints the version of the package', async () => {
    expect(version).toBe(packageFile.version);
    expect(await execute('--version')).toEqual({ code: 0, data: version, prose: '' });
  });
});
