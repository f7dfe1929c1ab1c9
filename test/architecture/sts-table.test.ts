import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { stsActions, unsupportedActions } from '../../src/sts/actions/index.ts';
import { modelActions } from './sts-model.ts';
import { parameterNotes } from './sts-notes.ts';
import { parameterRows } from './sts-table.ts';

/** The actions and parameters of MinIO's STS documents that AWS's model does not have. */
const ofMinio: Readonly<Record<string, readonly string[]>> = {
  AssumeRoleWithWebIdentity: ['WebIdentityAccessToken'],
  AssumeRoleWithCustomToken: ['Token', 'RoleArn', 'DurationSeconds'],
};
const folder = new URL('../', import.meta.url);
const rows = parameterRows();

describe('the table of parameters in docs/sts.md', () => {
  it('is about every action that the program performs, and every other one of the model', () => {
    const performed = [...stsActions.keys()];
    expect(Object.keys(parameterNotes).sort()).toEqual(performed.sort());
    const refused = [...unsupportedActions.keys()];
    const known = new Set([...performed, ...refused]);
    expect(modelActions().filter(({ name }) => !known.has(name))).toEqual([]);
    expect(refused.filter((name) => !modelActions().some((action) => action.name === name))).toEqual([]);
  });

  it('has every parameter of the model and of MinIO once, and no others', () => {
    const wanted = [
      ...modelActions().flatMap(({ name, parameters }) =>
        (parameters.length === 0 ? ['none'] : parameters).map((parameter) => `${name} ${parameter}`),
      ),
      ...Object.entries(ofMinio).flatMap(([action, names]) => names.map((name) => `${action} ${name}`)),
    ];
    expect(rows.map(({ action, parameter }) => `${action} ${parameter}`).sort()).toEqual(wanted.sort());
    expect(rows.filter(({ state }) => state === 'not of AWS')).toHaveLength(
      Object.values(ofMinio).flat().length,
    );
  });

  it.each([
    ['a parameter', 'AssumeRole', { parameters: ['Novelty'] }],
    ['a member of a result', 'GetSessionToken', { result: ['Novelty'] }],
    ['an action', 'GetNovelty', { parameters: ['Novelty'], result: [] }],
  ])('cannot be written when a newer SDK brings %s', (_, name, added) => {
    const known = modelActions().find((action) => action.name === name) ?? {
      name,
      parameters: [],
      result: [],
    };
    const newer = { ...known, ...added };
    const model = [...modelActions().filter((action) => action.name !== name), newer];
    expect(() => parameterRows(model)).toThrow(`the model of the SDK has Novelty of ${name}`);
  });

  it('knows no model of another form', () => {
    expect(() => modelActions({ a: [9, 'n', 'GetX', 0, () => [3], () => [3]] })).toThrow('another form');
  });

  it.each(rows)('names tests of $action $parameter', ({ action, parameter, state, tests }) => {
    expect(tests.length).toBeGreaterThan(0);
    const texts = tests.map((path) => {
      const file = new URL(`${path}.test.ts`, folder);
      expect(existsSync(file), path).toBe(true);
      return readFileSync(file, 'utf8');
    });
    if (parameter !== 'none' && state !== 'action refused') {
      for (const text of texts) expect(text).toMatch(new RegExp(`\\b${parameter}\\b`));
    }
    // Some tests of AssumeRole name it in a fixture only.
    if (action !== 'AssumeRole') expect(texts.join('\n')).toContain(action);
  });
});
