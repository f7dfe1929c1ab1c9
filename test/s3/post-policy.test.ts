import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../src/core/service-error.ts';
import { type FormToCheck, requirePolicy } from '../../src/s3/form/post-policy.ts';
import documented from '../vectors/sigv4/post-form.json' with { type: 'json' };

/** Whether a form satisfies a policy: `satisfied`, or code and message. */
function verdict(policy: string, form: Partial<FormToCheck>): string {
  try {
    requirePolicy(policy, { fields: new Map(), bucket: 'data', fileLength: 10, receivedAtMs: 0, ...form });
    return 'satisfied';
  } catch (error) {
    if (error instanceof ServiceError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

function policyOf(conditions: readonly unknown[], expiration = '2100-01-01T00:00:00Z'): string {
  return Buffer.from(JSON.stringify({ expiration, conditions })).toString('base64');
}

/** The verdict on fields of a form whose policy names the bucket too, which every policy must. */
const onFields = (conditions: readonly unknown[], fields: Record<string, string>): string =>
  verdict(policyOf([{ bucket: 'data' }, ...conditions]), { fields: new Map(Object.entries(fields)) }).split(
    ':',
  )[0] ?? '';

describe('the documented example', () => {
  const form = {
    fields: new Map(Object.entries(documented.fields)),
    bucket: documented.bucket,
    receivedAtMs: Date.parse(documented.receivedAt),
  };
  const { policy } = documented.fields;

  it('satisfies its policy', () => {
    expect(verdict(policy, form)).toBe('satisfied');
  });

  it.each(Object.keys(documented.fields).filter((name) => name !== 'policy' && name !== 'x-amz-signature'))(
    'does not without its %s',
    (name) => {
      const fields = new Map(form.fields);
      fields.delete(name);
      expect(verdict(policy, { ...form, fields })).toMatch(/^AccessDenied: .*Policy Condition failed/);
    },
  );

  it('does not in another bucket, with another field, or when it has expired', () => {
    expect(verdict(policy, { ...form, bucket: 'other' })).toMatch(/^AccessDenied/);
    const further = new Map(form.fields).set('x-amz-meta-other', 'a');
    expect(verdict(policy, { ...form, fields: further })).toBe(
      'AccessDenied: Invalid according to Policy: Extra input fields: x-amz-meta-other',
    );
    const late = Date.parse('2015-12-30T12:00:00Z');
    expect(verdict(policy, { ...form, receivedAtMs: late - 1 })).toBe('satisfied');
    expect(verdict(policy, { ...form, receivedAtMs: late })).toMatch(/^AccessDenied: .*Policy expired/);
  });
});

describe('a condition', () => {
  it('on the bucket is needed, and compares it as a whole', () => {
    const extra = 'AccessDenied: Invalid according to Policy: Extra input fields: bucket';
    expect(verdict(policyOf([]), {})).toBe(extra);
    expect(verdict(policyOf([{ bucket: 'data' }]), {})).toBe('satisfied');
    expect(verdict(policyOf([{ bucket: 'dat' }]), {})).toMatch(/^AccessDenied/);
    for (const prefix of ['', 'dat'])
      expect(verdict(policyOf([['starts-with', '$bucket', prefix]]), {})).toMatch(/^AccessDenied/);
  });

  it.each<[unknown, string, string]>([
    [{ a: 'b' }, 'b', 'satisfied'],
    [{ A: 'b' }, 'b', 'satisfied'],
    [{ a: 'b' }, 'B', 'AccessDenied'],
    [{ a: 201 }, '201', 'satisfied'],
    [['eq', '$A', 'b'], 'b', 'satisfied'],
    [['eq', '$a', 'b'], 'bc', 'AccessDenied'],
    [['starts-with', '$a', ''], '', 'satisfied'],
    [['starts-with', '$a', 'b'], 'bc', 'satisfied'],
    [['starts-with', '$a', 'b'], 'cb', 'AccessDenied'],
    [['starts-with', '$a', 'b'], ' b', 'AccessDenied'],
    [['starts-with', '$a', 'b'], 'b,c', 'satisfied'],
    [['StArTs-WiTh', '$A', 'b'], 'bc', 'satisfied'],
    [['StArTs-WiTh', '$A', 'b'], 'cb', 'AccessDenied'],
    [['EQ', '$a', 'b'], 'b', 'satisfied'],
    [['EQ', '$a', 'b'], 'bc', 'AccessDenied'],
    [['starts-with', 'a', ''], 'b', 'AccessDenied'],
    [['eq', 'a', 'b'], 'b', 'AccessDenied'],
    [['eq', '', ''], 'b', 'AccessDenied'],
    [['eq', '$', ''], 'b', 'AccessDenied'],
    [['eq', 1, 'b'], 'b', 'InvalidPolicyDocument'],
    [['', '$a', 'b'], 'b', 'InvalidPolicyDocument'],
    [[1, '$a', 'b'], 'b', 'InvalidPolicyDocument'],
    [['eq', '$a', 5], '5', 'satisfied'],
    [{}, 'b', 'InvalidPolicyDocument'],
    [{ a: 'b', bucket: 'data' }, 'b', 'InvalidPolicyDocument'],
    [['starts-with', '$a'], 'b', 'InvalidPolicyDocument'],
    [['starts-with', '$a', 'b', 'c'], 'b', 'InvalidPolicyDocument'],
    [['starts-with', '$a', ['b']], 'b', 'InvalidPolicyDocument'],
    [{ a: null }, '', 'InvalidPolicyDocument'],
    [{ a: true }, 'true', 'InvalidPolicyDocument'],
    ['a', 'b', 'InvalidPolicyDocument'],
    [null, 'b', 'InvalidPolicyDocument'],
    [[], 'b', 'InvalidPolicyDocument'],
  ])('%j on %j is %s', (condition, value, expected) => {
    expect(onFields([condition, ['starts-with', '$a', '']], { a: value })).toBe(expected);
  });

  // AWS's table says that some match exactly only, but policies in use at AWS have prefixes on them.
  it.each([
    'success_action_status',
    'x-amz-algorithm',
    'x-amz-credential',
    'x-amz-date',
    'x-amz-security-token',
    'x-amz-server-side-encryption',
    'x-amz-meta-a',
    'acl',
    'success_action_redirect',
    'redirect',
    'cache-control',
    'expires',
    'tagging',
  ])('on %s may be a prefix', (field) => {
    expect(onFields([['starts-with', `$${field}`, '']], { [field]: 'a' })).toBe('satisfied');
  });

  it('that is an object has exactly one property', () => {
    const said =
      'InvalidPolicyDocument: Invalid Policy: a condition that is an object must have one property, no more and no less.';
    for (const condition of [{}, { a: 'b', c: 'd' }])
      expect(verdict(policyOf([{ bucket: 'data' }, condition]), {})).toBe(said);
  });

  it('without a dollar sign does not hold, and is named as it is written', () => {
    const fields = new Map([['a', 'b']]);
    expect(verdict(policyOf([{ bucket: 'data' }, { a: 'b' }, ['EQ', 'A', 'b']]), { fields })).toBe(
      'AccessDenied: Invalid according to Policy: Policy Condition failed: ["eq","A"]',
    );
  });

  it.each([
    ['user/a', 'satisfied'],
    ['user/a//b', 'satisfied'],
    ['user/a/../b', 'satisfied'],
    ['user/../other/a', 'AccessDenied'],
    ['user/a/../../other/a', 'AccessDenied'],
    ['user/./../other/a', 'AccessDenied'],
    ['user/..\\other\\a', 'AccessDenied'],
    ['other/../user/a', 'AccessDenied'],
  ])('on the prefix of a key holds for %s only under all of its names', (key, expected) => {
    expect(onFields([['starts-with', '$key', 'user/']], { key })).toBe(expected);
  });

  it('on a list of types needs each of them', () => {
    const conditions = [['starts-with', '$Content-Type', 'image/']];
    expect(onFields(conditions, { 'content-type': 'image/png, image/gif' })).toBe('satisfied');
    expect(onFields(conditions, { 'content-type': 'image/png,text/html' })).toBe('AccessDenied');
  });

  it('that fails is named without its value, which can be a session token', () => {
    const fields = new Map([['x-amz-security-token', 'other']]);
    const said = verdict(policyOf([{ 'x-amz-security-token': 'secret' }]), { fields });
    expect(said).toBe(
      'AccessDenied: Invalid according to Policy: Policy Condition failed: ["eq","$x-amz-security-token"]',
    );
  });

  it.each<[unknown, number, string]>([
    [['content-length-range', 10, 10], 10, 'satisfied'],
    [['content-length-range', '0', '10'], 10, 'satisfied'],
    [['content-length-range', 11, 20], 10, 'EntityTooSmall'],
    [['content-length-range', 0, 9], 10, 'EntityTooLarge'],
    [['Content-Length-Range', 0, 9], 10, 'EntityTooLarge'],
    [['content-length-range', -1, 10], 10, 'InvalidPolicyDocument'],
    [['content-length-range', 'test', '10'], 10, 'InvalidPolicyDocument'],
    [['content-length-range', 0.5, 10], 10, 'InvalidPolicyDocument'],
    [['content-length-range', 0], 10, 'InvalidPolicyDocument'],
    [['content-length-range', 0, null], 10, 'InvalidPolicyDocument'],
  ])('%j on %i bytes is %s', (condition, fileLength, expected) => {
    expect(verdict(policyOf([{ bucket: 'data' }, condition]), { fileLength }).split(':')[0]).toBe(expected);
  });
});

describe('a policy', () => {
  const text = (document: string): string => Buffer.from(document).toString('base64');
  /** A policy for the bucket with further conditions, in JSON. */
  const withConditions = (json: string): string =>
    text(`{"expiration":"2100-01-01T00:00:00Z","conditions":[{"bucket":"data"},${json}]}`);

  it.each([
    [String.raw`["eq","$a","x\$y"]`, 'x$y'],
    [String.raw`["eq","\$a","x\$\$y"]`, 'x$$y'],
    [String.raw`{"a":"\$"}`, '$'],
    [String.raw`{"a":"x\vy"}`, 'x\vy'],
    [String.raw`{"a":"\\$"}`, String.raw`\$`],
    [String.raw`{"a":"\\\$"}`, String.raw`\$`],
    [String.raw`{"a":"\\v"}`, String.raw`\v`],
    [String.raw`{"a":"\"\$\""}`, '"$"'],
    [String.raw`{"a":"\u0024\n\/"}`, '$\n/'],
  ])("may have AWS's escapes: %s is %j", (json, value) => {
    const fields = new Map([['a', value]]);
    expect(verdict(withConditions(json), { fields })).toBe('satisfied');
    fields.set('a', `${value}a`);
    expect(verdict(withConditions(json), { fields })).toMatch(/^AccessDenied/);
  });

  it.each([
    String.raw`{"a":"\x"}`,
    String.raw`{"a":"\V"}`,
    String.raw`{"a":"b"}\v`,
    String.raw`{"a":\$}`,
    String.raw`\${"a":"b"}`,
    String.raw`{"a":"b\\"$"}`,
    String.raw`{"a$":"b","a\$":"c"}`,
    String.raw`{"a\v":"b","a\u000B":"c"}`,
    '{"a":"\v"}',
  ])('is not read with %s', (json) => {
    expect(verdict(withConditions(json), {})).toMatch(/^InvalidPolicyDocument.*not a JSON object/);
  });

  it.each<[string, string]>([
    ['that is no base64', '{}'],
    ['in another base64', `${policyOf([])}\n`],
    ['that is not UTF-8', Buffer.from([0xff]).toString('base64')],
    ['that is a list', text('[]')],
    ['without conditions', text('{"expiration":"2100-01-01T00:00:00Z"}')],
    ['whose conditions are an object', text('{"expiration":"2100-01-01T00:00:00Z","conditions":{}}')],
    ['without an expiration', text('{"conditions":[]}')],
    ['that expires at no time', policyOf([], 'never')],
    ['that expires in another zone', policyOf([], '2100-01-01T00:00:00+00:00')],
    ['that expires in no zone', policyOf([], '2100-01-01T00:00:00')],
    ['that expires at a date', policyOf([], '2100-01-01')],
    ['that expires at a number', text('{"expiration":4102444800,"conditions":[]}')],
    ['that expires on a day that is not there', policyOf([], '2100-02-30T00:00:00Z')],
    ['with another member', text('{"expiration":"2100-01-01T00:00:00Z","conditions":[],"a":1}')],
    ['with a member twice', text('{"expiration":"2100-01-01T00:00:00Z","conditions":[],"conditions":[]}')],
    ['that is nested deeply', policyOf([[[['a']]]])],
  ])('%s is refused', (_, policy) => {
    expect(verdict(policy, {})).toMatch(/^InvalidPolicyDocument/);
  });
});
