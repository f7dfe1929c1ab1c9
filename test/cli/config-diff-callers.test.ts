import { afterAll, describe, expect, it } from 'vitest';
import { variable } from '../support/policy-documents.ts';
import { removeFiles } from './command.ts';
import { between, diff, type Replacement } from './differences.ts';

afterAll(removeFiles);

const team = variable('aws:principaltag/team');

function arnOf(entity: string, service = 'iam'): string {
  return `arn:aws:${service}::123456789012:${entity}`;
}

function allowing(action: string, resource: string): string {
  return `{ Version: "2012-10-17", Statement: { Effect: Allow, Action: "${action}", Resource: "${resource}" } }`;
}

describe('config diff of callers whose boundary, tags, id or places differ', () => {
  it('says gains where a boundary goes that allowed nothing, also under conditions', async () => {
    const bounded: Replacement = [
      'tags: { team: blue }',
      'tags: { team: blue }\n      permissionsBoundary: OnlyReading',
    ];
    const gained = await between([bounded], []);
    expect(gained.lines).toContainEqual(
      expect.stringMatching(
        /^user alice gains sts:AssumeRole on role data-reader when StringEquals sts:ExternalId x/,
      ),
    );
    const lost = await between([], [bounded]);
    expect(lost.lines).toContainEqual(
      expect.stringMatching(/^user alice loses sts:AssumeRole on role data-reader, which it had when /),
    );
  });

  it('reports a boundary that goes beside a bucket policy that grants under a condition', async () => {
    const given = (name: string): Replacement => [
      '- { name: nobody }',
      `- { name: nobody, ${name}inlinePolicies: { I: { Version: "2012-10-17", Statement: { Effect: Allow, Action: "s3:PutObject", Resource: "arn:aws:s3:::open/*", Condition: { IpAddress: { "aws:SourceIp": 10.0.0.0/8 } } } } } }`,
    ];
    const grants: Replacement = [
      'Action: "s3:GetObject", Resource: "arn:aws:s3:::open/*"',
      'Action: "s3:PutObject", Resource: "arn:aws:s3:::open/*", Condition: { IpAddress: { "aws:SourceIp": 192.0.2.0/24 } }',
    ];
    const bounded = given('permissionsBoundary: OnlyReading, ');
    const { lines } = await between([bounded, grants], [given(''), grants]);
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^user nobody has other conditions for s3:PutObject on open\/\*: now when .*; before .*; the boundary never allows it$/,
      ),
    );
  });

  it('reports what a bucket policy grants to a role whose boundary goes', async () => {
    const grant: Replacement = [
      'Sid: Everybody, Effect: Allow, Principal: "*"',
      `Effect: Allow, Principal: { AWS: "${arnOf('role/ci')}" }`,
    ];
    const bounded: Replacement = ['    - name: ci\n', '    - name: ci\n      permissionsBoundary: Puts\n'];
    const puts: Replacement = [
      '    OnlyReading:\n',
      `    Puts: ${allowing('s3:PutObject', 'arn:aws:s3:::open/*')}\n    OnlyReading:\n`,
    ];
    const { lines } = await between([puts, grant, bounded], [puts, grant]);
    expect(lines).toContain('role ci gains s3:GetObject on open/*');
  });

  it('asks about every place for NotResource, beside those that it names', async () => {
    const given = allowing('s3:GetObject', 'arn:aws:s3:::secret/*').replace('Resource', 'NotResource');
    const { lines } = await diff([
      '- { name: nobody }',
      `- { name: nobody, inlinePolicies: { I: ${given} } }`,
    ]);
    expect(lines).toContain('user nobody gains s3:GetObject on */*');
    expect(lines.join()).not.toContain('secret');
  });

  it.each(['NotResource: "arn:aws:s3:::open/logs/*"', 'Resource: "*"', 'Resource: "arn:aws:s3:::op*"'])(
    'asks about the bucket of a bucket policy with %s',
    async (element) => {
      const given = 'Action: "s3:GetObject", Resource: "arn:aws:s3:::open/*"';
      const { lines } = await diff([given, `Action: ["s3:GetObject", "s3:ListBucket"], ${element}`]);
      expect(lines).toContain('an anonymous caller gains s3:ListBucket on open');
      const lost = await between(
        [[given, `Action: "s3:GetObject", ${element}`]],
        [[given, given.replace('open/', 'open/a/')]],
      );
      expect(lost.lines).toContain('an anonymous caller loses s3:GetObject on open/*');
    },
  );

  it('compares both values of a tag that changes, in a Resource and in a condition', async () => {
    const prefixed: Replacement = ['"s3:prefix": "2026/*"', `"s3:prefix": "${team}/*"`];
    const { lines } = await between([prefixed], [prefixed, ['tags: { team: blue }', 'tags: { team: red }']]);
    expect(lines).toContain('user alice gains s3:PutObject on data/red/*');
    expect(lines).toContain('user alice loses s3:PutObject on data/blue/*');
    expect(lines).toContain(
      'user alice has other conditions for s3:ListBucket on data: now when IpAddress aws:SourceIp 10.0.0.0/8 and StringLike s3:prefix red/*; before when IpAddress aws:SourceIp 10.0.0.0/8 and StringLike s3:prefix blue/*',
    );
  });

  it('compares the tags of a role, which its sessions have unless they bring others', async () => {
    const tagged = (value: string): Replacement => ['enforcement: audit', `tags: { team: ${value} }`];
    const { lines } = await between([tagged('blue')], [tagged('red')]);
    expect(lines).toContain(
      `role data-reader has other conditions for s3:PutObject on data/*, data/${team}/*: now when its variables are those of the caller; its tag team is red unless a session brings another; before when its variables are those of the caller; its tag team is blue unless a session brings another`,
    );
    expect(lines.join()).not.toContain('s3:ListBucket');
  });

  it('tells apart the resources of statements with the same conditions and variables', async () => {
    const own = `arn:aws:s3:::listed/${variable('aws:SourceIp')}/*`;
    const given = (...resources: readonly string[]): Replacement => [
      'Action: "s3:ListBucket", Resource: "arn:aws:s3:::listed", Condition: { NumericLessThanEquals: { "s3:max-keys": 1000 } }',
      `Action: "s3:PutObject", Resource: ${JSON.stringify(resources)}, Condition: { Bool: { "aws:SecureTransport": true } }`,
    ];
    const { lines } = await between([given(own)], [given(own, 'arn:aws:s3:::listed/*')]);
    expect(lines).toContain(
      `user alice has other conditions for s3:PutObject on listed/${variable('aws:sourceip')}/*, listed/*: now when Bool aws:SecureTransport true; before when Bool aws:SecureTransport true and its variables are those of the caller`,
    );
  });

  it('reports a user id that changes where a policy names it', async () => {
    const named: Replacement = [
      'Sid: Everybody, Effect: Allow, Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::open/*"',
      'Effect: Allow, Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::open/*", Condition: { StringEquals: { "aws:userid": AIDABBBBBBBBBBBBBBBBB } }',
    ];
    const { lines } = await between(
      [['- { name: nobody }', '- { name: nobody, userId: AIDAAAAAAAAAAAAAAAAAA }'], named],
      [['- { name: nobody }', '- { name: nobody, userId: AIDABBBBBBBBBBBBBBBBB }'], named],
    );
    expect(lines).toContain('user nobody gains s3:GetObject on open/*');
  });

  it('reports a role id that comes where a policy names it, whose sessions may do so', async () => {
    const named: Replacement = [
      'Sid: Everybody, Effect: Allow, Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::open/*"',
      'Effect: Allow, Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::open/*", Condition: { StringLike: { "aws:userid": "AROABBBBBBBBBBBBBBBBB:*" } }',
    ];
    const role = '- name: data-reader';
    const { lines } = await between(
      [[role, `${role}\n      roleId: AROAAAAAAAAAAAAAAAAAA`], named],
      [[role, `${role}\n      roleId: AROABBBBBBBBBBBBBBBBB`], named],
    );
    const condition = 'when StringLike aws:userid AROABBBBBBBBBBBBBBBBB:*; its aws:userid begins with';
    expect(lines).toContain(
      `role data-reader has other conditions for s3:GetObject on open/*: now ${condition} AROABBBBBBBBBBBBBBBBB:; before ${condition} AROAAAAAAAAAAAAAAAAAA:`,
    );
    const same: Replacement = [role, `${role}\n      roleId: AROABBBBBBBBBBBBBBBBB`];
    expect((await between([same, named], [same, named])).lines).toEqual([]);
  });

  it('reports a Deny that moves, goes or comes in one of several policies that a token names', async () => {
    const given = '{ kind: oidc, name: company, issuer: "https://login.example.com", clientIds: [app] }';
    const claims =
      '{ kind: oidc, name: company, issuer: "https://login.example.com", clientIds: [app], claimName: policy }';
    const provider: Replacement = [given, claims];
    const denying = (place: string): Replacement => [
      '\n  policies:\n',
      `\n  policies:\n    Denying: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:PutObject", Resource: "arn:aws:s3:::own/*" }, { Effect: Deny, Action: "s3:GetObject", Resource: "arn:aws:s3:::data/${place}/*" }] }\n`,
    ];
    const who = 'a user of provider company whose token names Denying and policies that allow it';
    const moved = await between([provider, denying('secret')], [provider, denying('other')]);
    expect(moved.lines).toEqual([
      `${who} gains s3:GetObject on data/secret/*`,
      `${who} loses s3:GetObject on data/other/*`,
      'managed policy Denying has changed',
    ]);
    const gone = await between([provider, denying('secret')], [provider]);
    expect(gone.lines).toContain(`${who} gains s3:GetObject on data/secret/*`);
    expect(gone.lines).toContain(
      'managed policy Denying is gone: sessions with it as their session policy are refused everything, and those whose token names it go on without it',
    );
    const come = await between([provider], [provider, denying('secret')]);
    expect(come.lines).toContain(`${who} loses s3:GetObject on data/secret/*`);
    // Where no token names policies, nothing is said of tokens.
    expect((await between([denying('secret')], [])).lines).toEqual([
      'managed policy Denying is gone: sessions with it as their session policy are refused everything',
    ]);
  });

  it('compares a session that one of the files names with what it may do in the other', async () => {
    const named: Replacement = [
      'Sid: Nobody, Effect: Deny, Principal: { AWS: "*" }, Action: "s3:*"',
      `Effect: Allow, Principal: { AWS: "${arnOf('assumed-role/data-reader/s1', 'sts')}" }, Action: "s3:PutObject"`,
    ];
    const { lines } = await diff(named);
    const ofSession = lines.filter((line) => line.startsWith('session data-reader/s1'));
    expect(ofSession).toEqual(['session data-reader/s1 gains s3:PutObject on closed/*']);
    const lost = await between([named], []);
    expect(lost.lines.filter((line) => line.startsWith('session data-reader/s1'))).toEqual([
      'session data-reader/s1 loses s3:PutObject on closed/*',
    ]);
  });

  it('compares a federated user that a bucket policy names, of each user', async () => {
    const { lines } = await diff([
      'Principal: "*", Action: "s3:GetObject"',
      `Principal: { AWS: ["*", "${arnOf('federated-user/fred', 'sts')}"] }, Action: ["s3:GetObject", "s3:PutObject"]`,
    ]);
    expect(lines).toContain('federated user fred of user alice gains s3:PutObject on open/*');
    // Not what the user itself may do.
    expect(lines.join()).not.toContain('federated user fred of user alice gains s3:GetObject');
  });

  it('says gains where only the own consent to a source identity comes', async () => {
    const trusted: Replacement = [
      'Principal: { AWS: "123456789012" }, Action: "sts:AssumeRole"',
      'Principal: { AWS: "arn:aws:iam::123456789012:role/data-reader" }, Action: "sts:SetSourceIdentity"',
    ];
    const consents: Replacement = [
      'enforcement: audit',
      'inlinePolicies: { I: { Version: "2012-10-17", Statement: { Effect: Allow, Action: "sts:SetSourceIdentity", Resource: "*" } } }',
    ];
    const { lines } = await between([trusted], [trusted, consents]);
    expect(lines).toContainEqual(
      expect.stringMatching(/^role data-reader gains sts:SetSourceIdentity on role data-reader when /),
    );
  });

  it('compares every Deny of GetScopedCredentials, whichever resource it names', async () => {
    const denies = (...resources: readonly string[]): Replacement => [
      'enforcement: audit',
      `inlinePolicies: { I: { Version: "2012-10-17", Statement: [${resources
        .map(
          (one, index) =>
            `{ Effect: Deny, Action: "sts:GetScopedCredentials", Resource: "${one}", Condition: { IpAddress: { "aws:SourceIp": 10.${index}.0.0/16 } } }`,
        )
        .join(', ')}] } }`,
    ];
    const session = 'arn:aws:sts::123456789012:assumed-role/data-reader/*';
    const { lines } = await between([denies('*', session)], [denies('*')]);
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^role data-reader has other conditions for sts:GetScopedCredentials on \*: now /,
      ),
    );
  });
});
