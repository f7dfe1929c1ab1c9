import { afterAll, describe, expect, it } from 'vitest';
import { compareRights } from '../../src/cli/config-diff/compare-rights.ts';
import { buildSide } from '../../src/cli/config-diff/side.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { variable } from '../support/policy-documents.ts';
import { execute, file, missingFile, policyConfiguration, removeFiles } from './command.ts';
import { diff } from './differences.ts';

afterAll(removeFiles);

const old = file('old.yaml', policyConfiguration);

const team = variable('aws:principaltag/team');
const readStatement = 'Action: "s3:GetObject", Resource: "arn:aws:s3:::data/*"';

describe('config diff', () => {
  it('prints nothing and exits 0 for equal files', async () => {
    const { code, data, prose } = await diff();
    expect([code, data, prose]).toEqual([0, '', '0 decisions compared, 0 differences']);
  });

  it('takes other orders, white space, Sid and Id for the same', async () => {
    const { code, data } = await diff(['{ Sid: Read, Effect: Allow,', '{ Effect: "Allow", Sid: Readers,']);
    expect([code, data]).toEqual([0, '']);
  });

  it('exits 2 for a file with problems and for one that is missing', async () => {
    const broken = file('broken.yaml', policyConfiguration.replace('tokens:', 'token:'));
    expect(await execute('config', 'diff', old, broken)).toMatchObject({ code: 2, data: '' });
    expect(await execute('config', 'diff', missingFile, old)).toMatchObject({ code: 2, data: '' });
    expect(await execute('config', 'diff', old)).toMatchObject({ code: 2, data: '' });
  });

  it('says which callers gain an action, and where', async () => {
    const { code, lines } = await diff([
      readStatement,
      'Action: ["s3:GetObject", "s3:DeleteObject"], Resource: "arn:aws:s3:::data/*"',
    ]);
    expect(code).toBe(1);
    expect(lines).toContain(`role data-reader gains s3:DeleteObject on data/*, data/${team}/*`);
    expect(lines).toContain(`user alice gains s3:DeleteObject on data/*, data/${team}/*`);
    expect(lines).toContain('managed policy ReadData has changed');
    // Its boundary allows reading alone.
    expect(lines.filter((line) => line.includes('bounded'))).toEqual([]);
    expect(lines.filter((line) => line.includes('gains'))).toHaveLength(2);
  });

  it('says who loses an action', async () => {
    const { lines } = await diff([
      readStatement,
      'Action: "s3:GetObject", Resource: "arn:aws:s3:::data/2026/*"',
    ]);
    expect(lines).toContain(`user alice loses s3:GetObject on data/*, data/${team}/*`);
    expect(lines).toContain(`user bounded loses s3:GetObject on data/*, data/${team}/*`);
    expect(lines.join()).not.toContain('loses s3:GetObject on data/2026');
  });

  it('shows that a new Deny takes away what other statements allow', async () => {
    const { lines } = await diff([
      '"arn:aws:s3:::data/secret/*"',
      '["arn:aws:s3:::data/secret/*", "arn:aws:s3:::tagged/*"]',
    ]);
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^user alice loses s3:GetObject on tagged\/\*, which it had when StringEquals s3:ExistingObjectTag\/team blue$/,
      ),
    );
  });

  it('claims nothing about a condition but that it is another one', async () => {
    const { lines } = await diff(['10.0.0.0/8', '10.0.0.0/16']);
    expect(lines).toContain(
      'user alice has other conditions for s3:ListBucket on data: now when IpAddress aws:SourceIp 10.0.0.0/16 and StringLike s3:prefix 2026/*; before when IpAddress aws:SourceIp 10.0.0.0/8 and StringLike s3:prefix 2026/*',
    );
    expect(lines.join()).not.toContain('gains');
  });

  it('tells a gain with a condition from one without', async () => {
    const { lines } = await diff(
      [', StringLike: { "s3:prefix": "2026/*" } }', ' }'],
      ['IpAddress: { "aws:SourceIp": 10.0.0.0/8 }', ''],
    );
    expect(lines).toContainEqual(
      expect.stringMatching(/^user alice gains s3:ListBucket on data, and not only when /),
    );
  });

  it('fills variables with what the caller has', async () => {
    const { lines } = await diff(['Action: "s3:PutObject"', 'Action: ["s3:PutObject", "s3:DeleteObject"]']);
    expect(lines).toContain(`user alice gains s3:DeleteObject on data/${team}/*`);
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^role data-reader gains s3:DeleteObject on .*data\/\$\{aws:principaltag\/team\}\/\* when /,
      ),
    );
  });

  it('reports who may assume a role when its trust policy changes', async () => {
    const { lines } = await diff([', Condition: { StringEquals: { "sts:ExternalId": x } }', '']);
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^user alice (?:gains|has other conditions for) sts:AssumeRole.* on role data-reader/,
      ),
    );
    expect(lines.join()).not.toContain('user nobody gains');
    const federated = await diff(['sub": repo-a', 'sub": repo-b']);
    expect(federated.lines).toContain(
      'a web identity of company has other conditions for sts:AssumeRoleWithWebIdentity on role ci: now when StringEquals login.example.com:sub repo-b; before when StringEquals login.example.com:sub repo-a',
    );
  });

  it('reports what bucket policies change, for anonymous callers too', async () => {
    const { lines } = await diff([
      'Action: "s3:GetObject", Resource: "arn:aws:s3:::open/*"',
      'Action: "s3:PutObject", Resource: "arn:aws:s3:::open/*"',
    ]);
    expect(lines).toContain('an anonymous caller loses s3:GetObject on open/*');
    expect(lines).toContain('an anonymous caller gains s3:PutObject on open/*');
    expect(lines).toContain('user nobody gains s3:PutObject on open/*');
  });

  it('reports a boundary that goes, with what it held back', async () => {
    const { lines } = await diff([', permissionsBoundary: OnlyReading', '']);
    expect(lines).toContain('user bounded has another permissions boundary');
    expect(lines).toContain(`user bounded gains s3:PutObject on data/${team}/*`);
  });

  it('reports what new and removed principals may do', async () => {
    const { lines } = await diff([
      '    - { name: nobody }\n',
      '    - { name: carol, policies: [OnlyReading] }\n',
    ]);
    expect(lines).toContain('user nobody is gone, with its sessions');
    expect(lines).toContain('user carol is new');
    expect(lines).toContainEqual(expect.stringMatching(/^user carol gains .*s3:GetObject.* on .*\*\/\*/));
    expect(lines).toContainEqual(expect.stringMatching(/^user nobody loses s3:GetObject on open\/\*/));
  });

  it('reports enforcement, revocations, token keys and what needs a restart', async () => {
    const { lines } = await diff(
      ['      enforcement: audit\n', ''],
      [
        'tokens: { sealWith: k, keys: [{ id: k,',
        'server: { listen: "127.0.0.1:9009" }\nrevocations: [{ role: data-reader }]\ntokens: { sealWith: k2, keys: [{ id: k2,',
      ],
    );
    expect(lines).toContain(
      'role data-reader has enforcement enforce, and had audit: what no policy allows is refused',
    );
    expect(lines).toContain('revoked: sessions of role data-reader');
    expect(lines).toContain('token key k is gone: the sessions that it sealed end');
    expect(lines).toContain('server.listen needs a restart');
  });

  it('compares generated roles, policies that tokens name, and identity providers', async () => {
    const given = '{ kind: oidc, name: company, issuer: "https://login.example.com", clientIds: [app] }';
    const generated = `${given}
    - { kind: oidc, name: minio-style, issuer: "https://a.example.com", clientIds: [a], rolePolicies: [OnlyReading] }
    - { kind: oidc, name: claims, issuer: "https://b.example.com", clientIds: [b], claimName: policy }`;
    const { lines } = await diff([given, generated]);
    expect(lines).toContain('the role of provider minio-style is new');
    expect(lines).toContainEqual(expect.stringMatching(/^a user of provider minio-style gains s3:GetObject/));
    expect(lines).toContainEqual(
      expect.stringMatching(/^a user of provider claims whose token names OnlyReading gains s3:GetObject/),
    );
    const other = await diff([given, given.replace('[app]', '[app, tool]')]);
    expect(other.lines).toEqual(['identity provider company has other settings']);
  });

  it('names the callers that are not compared in full', () => {
    const sides = ['Get', 'Delete'].map((verb) => {
      const text = policyConfiguration.replace(readStatement, readStatement.replace('Get', verb));
      const loaded = loadConfiguration(file(`${verb}.yaml`, text), {});
      if (!loaded.ok) throw new Error(loaded.problems.join());
      return buildSide(loaded);
    });
    const [before, after] = sides;
    if (before === undefined || after === undefined) throw new Error('two sides');
    const whole = compareRights(before, after, 0);
    expect(whole.incomplete).toEqual([]);
    const one = compareRights(before, after, 0, { perCaller: 1, altogether: 1000 });
    expect(one.incomplete).toEqual(['user alice', 'user bounded', 'role data-reader']);
    expect(compareRights(before, after, 0, { perCaller: 1000, altogether: 0 })).toEqual({
      changes: [],
      incomplete: one.incomplete,
      questions: 0,
    });
  });

  it('says what a reload refuses', async () => {
    const next = file('account.yaml', policyConfiguration.replaceAll('123456789012', '210987654321'));
    const { code, data } = await execute('config', 'diff', old, next);
    expect(code).toBe(1);
    expect(data).toContain('a reload refuses this file: account.id and account.partition cannot change');
  });

  it('shows no secret, and says that one is another', async () => {
    const { lines, data, prose } = await diff(['a-literal-secret', 'another-literal-secret']);
    expect(lines).toEqual(['a reload changes settings of backend']);
    expect(data + prose).not.toContain('literal-secret');
  });

  it('prints JSON with a stable form', async () => {
    const next = file(
      'json.yaml',
      policyConfiguration.replace(readStatement, readStatement.replace('Get', 'Delete')),
    );
    const { data, code } = await execute('config', 'diff', old, next, '--json');
    const document = JSON.parse(data) as { rights: unknown[] };
    expect(code).toBe(1);
    expect(document).toMatchObject({ version: 1, same: false, incomplete: [] });
    expect(document.rights).toContainEqual({
      principal: 'user alice',
      change: 'gains',
      actions: ['s3:DeleteObject'],
      resources: ['data/*', `data/${team}/*`],
      before: { effect: 'deny', when: null },
      after: { effect: 'allow', when: null },
    });
  });

  it('escapes control characters in values of policies', async () => {
    const { data } = await diff([
      'StringLike: { "s3:prefix": "2026/*" }',
      'StringLike: { "s3:prefix": "\\e[2J" }',
    ]);
    expect(data).not.toContain('\u001b');
    expect(data).toContain('\\u001b[2J');
  });
});
