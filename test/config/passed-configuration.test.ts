import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { policyVocabulary } from '../../src/app/policy-vocabulary.ts';
import { ConfigurationInputs } from '../../src/config/inputs.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { packValue, unpackValue } from '../../src/config/packed-value.ts';
import {
  type PassedConfiguration,
  readForAnotherThread,
  takeOver,
} from '../../src/config/passed-configuration.ts';
import { fingerprintOf } from '../../src/core/fingerprint.ts';
import { takeAll } from '../../src/core/steps.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sts-sidecar-'));
  path = join(folder, 'sidecar.yaml');
});
afterEach(() => rmSync(folder, { recursive: true }));

const statement = (bucket: string): string =>
  `{ Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::${bucket}/*", Condition: { StringLike: { "aws:username": "u*" } } }`;

/** More than one piece, a secret in a file of its own, and the directory in another one. */
function write(changes: { readonly name?: string; readonly action?: string } = {}): void {
  const { name = 'name', action = 's3:ListBucket' } = changes;
  const roles = Array.from(
    { length: 60 },
    (_, index) => `
  - ${name}: role-${index}
    tags: { team: "007", n: "${index}" }
    inlinePolicies: { P: { Version: "2012-10-17", Statement: [${statement(`a-${index}`)}, ${statement(`b-${index}`)}] } }
    trustPolicy: { Version: "2012-10-17", Statement: { Effect: Allow, Principal: { AWS: "*" }, Action: "sts:AssumeRole" } }`,
  );
  writeFileSync(
    path,
    `apiVersion: sts-sidecar/v1
backend: { endpoint: "https://store.example", region: eu-west-1, credentials: { accessKeyId: STOREKEY, secretAccessKey: { file: store.key } } }
account: { id: "123456789012" }
tokens: { sealWith: k1, keys: [{ id: k1, secret: "${Buffer.alloc(32, 1).toString('base64')}" }] }
revocations: [{ role: role-7 }]
directoryFile: directory.yaml
`,
  );
  writeFileSync(join(folder, 'store.key'), 'secret-of-the-store\n');
  writeFileSync(
    join(folder, 'directory.yaml'),
    `policies: { Shared: { Version: "2012-10-17", Statement: [{ Effect: Deny, Action: "${action}", Resource: "*" }] } }\nroles:${roles.join('')}\n`,
  );
}

const read = (): PassedConfiguration =>
  // What one thread posts to another is cloned.
  structuredClone(
    readForAnotherThread({ path, overrides: {}, lengths: new Map(), heapBytes: 2 ** 30 }, policyVocabulary),
  );

const load = (): ReturnType<typeof loadConfiguration> =>
  loadConfiguration(path, {}, { vocabulary: policyVocabulary, heapBytes: 2 ** 30 });

describe('a configuration that another thread has read', () => {
  it('is the same as one that was read here, and no file is read again', () => {
    write({ action: 's3:ListBuckets' });
    const loaded = load();
    const passed = read();
    rmSync(path);
    rmSync(join(folder, 'store.key'));
    rmSync(join(folder, 'directory.yaml'));
    const taken = takeAll(takeOver(passed, { path, overrides: {} }));
    if (!loaded.ok || !taken.ok) throw new Error('not read');
    expect(taken.settings).toEqual(loaded.settings);
    expect(taken.characters).toBe(loaded.characters);
    // What is YAML is passed on in short pieces, and only so.
    expect(passed.ok && [...passed.texts.keys()]).toEqual([join(folder, 'store.key')]);
    // The wrong action and the literal secret.
    expect(loaded.warnings.length).toBeGreaterThanOrEqual(2);
    expect(taken.warnings).toEqual(loaded.warnings);
    expect(fingerprintOf(taken.directory, 'derived')).toBe(fingerprintOf(loaded.directory, 'derived'));
    expect(taken.settings.backend.credentials.secretAccessKey.reveal()).toBe('secret-of-the-store');
  });

  it('is taken over in steps that are many', () => {
    write();
    const steps = takeOver(read(), { path, overrides: {} });
    let count = 0;
    while (steps.next().done !== true) count += 1;
    expect(count).toBeGreaterThan(60);
  });

  it('has the problems that it has here, with their places, and nothing is taken over', () => {
    write({ name: 'nam', action: 's3:*Ob ject' });
    const loaded = load();
    const passed = read();
    if (loaded.ok || passed.ok) throw new Error('read');
    expect(loaded.problems.length).toBeGreaterThanOrEqual(60);
    expect(loaded.problems[0]).toMatch(/directory\.yaml:\d+:\d+ /);
    expect(passed.problems).toEqual(loaded.problems);
    expect(takeAll(takeOver(passed, { path, overrides: {} }))).toMatchObject({ ok: false });
  });

  it('is known by what its files held, so that a later change is found', async () => {
    write();
    const inputs = new ConfigurationInputs(undefined, read().inputs);
    expect(await inputs.changes()).toBeUndefined();
    writeFileSync(join(folder, 'store.key'), 'another-secret');
    expect(await inputs.changes()).toBeDefined();
  });

  it('is not taken over when a file is missing in it', () => {
    write();
    const passed = read();
    if (!passed.ok) throw new Error('not read');
    const taken = takeAll(takeOver({ ...passed, texts: new Map() }, { path, overrides: {} }));
    expect(taken).toEqual({
      ok: false,
      problems: [`${path} cannot be read: it differs when it is read again`],
    });
  });
});

describe('a packed value', () => {
  it('is the same when it is unpacked, and its mappings have no prototype', () => {
    const long = { text: 'x'.repeat(20_000), list: [1, '01', null, true, { a: ['\ud800', 'é'] }] };
    const value = { long, again: [long, long], short: { constructor: 'a', toString: [] } };
    const unpacked = takeAll(unpackValue(packValue(value)));
    expect(unpacked).toEqual(value);
    expect(Object.getPrototypeOf(unpacked)).toBeNull();
    expect(Object.getPrototypeOf(Reflect.get(Object(unpacked), 'short'))).toBeNull();
  });
});
