import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/program.ts';
import { readInput } from '../../src/cli/terminal.ts';
import { inspectToken } from '../../src/cli/token-inspect.ts';
import { systemClock } from '../../src/core/clock.ts';
import { assume, type SdkCredentials } from '../support/sdk.ts';
import { account, alice, roleArn, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { type Execution, execute, file, missingFile, removeFiles } from './command.ts';

afterAll(removeFiles);

const tokenKey = randomBytes(32).toString('base64');
const configuration = (changes: { key?: string; roles?: string; further?: string } = {}): string => `
apiVersion: sts-sidecar/v1
backend: { endpoint: "http://127.0.0.1:9001", credentials: { accessKeyId: KEY, secretAccessKey: a-literal-secret } }
account: { id: "${account}" }
tokens: { sealWith: k1, keys: [{ id: k1, secret: ${changes.key ?? tokenKey} }] }
${changes.further ?? ''}
directory:
  roles:
    ${changes.roles ?? `- { name: data, trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "${account}" }, Action: "sts:AssumeRole" }] } }`}
`;

let sidecar: TestSidecar;
let keys: Required<SdkCredentials>;
beforeAll(async () => {
  sidecar = await startSidecar({ tokenKey });
  const Policy =
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}';
  keys = await assume(sidecar.url, alice, 'data', { RoleSessionName: 'inspected', Policy });
});
afterAll(() => sidecar.stop());

const inspect = (text: string, token = keys.sessionToken): Promise<Execution> =>
  execute('token', 'inspect', '--config', file('sidecar.yaml', text), token);

describe('token inspect', () => {
  it('prints what the token says, and no secret', async () => {
    const { code, data, prose } = await inspect(configuration());
    expect(code).toBe(0);
    expect(JSON.parse(data)).toEqual({
      status: 'valid',
      arn: `arn:aws:sts::${account}:assumed-role/data/inspected`,
      sessionId: expect.stringMatching(/^[\w-]{22}$/),
      accessKeyId: keys.accessKeyId,
      principal: {
        kind: 'role-session',
        roleArn: roleArn('data'),
        roleId: expect.stringMatching(/^AROA/),
        sessionName: 'inspected',
      },
      issuedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      expiresAt: expect.stringMatching(/^\d{4}-.*Z$/),
      sessionPolicy: expect.stringContaining('s3:GetObject'),
      sessionPolicyArns: [],
      tags: [],
    });
    expect(prose).toContain('run time');
    for (const secret of [keys.secretAccessKey, tokenKey, 'a-literal-secret', 'seed'])
      expect(data + prose).not.toContain(secret);
  });

  it('accepts the line end that an editor or echo leaves after the token', async () => {
    expect((await inspect(configuration(), ` ${keys.sessionToken}\n`)).code).toBe(0);
  });

  it.each([
    ['revoked', configuration({ further: 'revocations: [{ role: data }]' })],
    ['revoked', configuration({ further: 'revocations: [{ roleSession: data/inspected }]' })],
    ['valid', configuration({ further: 'revocations: [{ roleSession: data/other }]' })],
    ['principal-gone', configuration({ roles: '[]' })],
  ])('says that the session is %s', async (status, text) => {
    const { code, data } = await inspect(text);
    expect([code, JSON.parse(data).status]).toEqual([0, status]);
  });

  it('says that the session is expired', async () => {
    const printed: string[] = [];
    const terminal = { data: (text: string) => void printed.push(text), prose: () => undefined };
    const later = { now: () => systemClock.now() + 3_600_000 };
    const path = file('later.yaml', configuration());
    expect(await inspectToken(path, keys.sessionToken, terminal, later)).toBe(0);
    expect(JSON.parse(printed.join('')).status).toBe('expired');
  });

  it.each([
    ['another key ring', configuration({ key: randomBytes(32).toString('base64') }), undefined],
    ['text', configuration(), 'hello'],
    ['nothing', configuration(), ''],
    ['an access key', configuration(), 'AKIAALICEALICEALICE1'],
  ])('exits 1 for %s', async (_, text, token) => {
    const { code, data, prose } = await inspect(text, token);
    expect([code, data]).toEqual([1, '']);
    expect(prose).toContain('not a session token');
  });

  it('exits 1 for a token with any character changed', async () => {
    const { length } = keys.sessionToken;
    for (const index of [0, 5, Math.floor(length / 2), length - 3]) {
      const changed = keys.sessionToken[index] === 'A' ? 'B' : 'A';
      const token = keys.sessionToken.slice(0, index) + changed + keys.sessionToken.slice(index + 1);
      expect((await inspect(configuration(), token)).code).toBe(1);
    }
  });

  it('exits 2 for a configuration that is wrong or missing', async () => {
    expect((await inspect('apiVersion: 2')).code).toBe(2);
    expect((await execute('token', 'inspect', '--config', missingFile, 'x')).code).toBe(2);
    expect(await run(['token', 'inspect', 'x'], { data: () => undefined, prose: () => undefined })).toBe(2);
  });

  it('reads what it is given on standard input, and no more than it needs', async () => {
    expect(await readInput(Readable.from([Buffer.from('to'), Buffer.from('ken\n')]))).toBe('token\n');
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(10_000, 'x');
      })(),
    );
    expect((await readInput(endless)).length).toBeLessThan(100_000);
  });
});
