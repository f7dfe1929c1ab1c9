import { describe, expect, it } from 'vitest';
import { operations } from '../../src/s3/operations/index.ts';
import {
  contextOf,
  namesOf,
  operationNames,
  operationVectors,
  refusalOf,
  routed,
  understood,
} from './vectors.ts';

const names = Object.values(operationNames).flat();

describe('the vectors', () => {
  it('cover all 114 operations', () => {
    expect(names).toHaveLength(114);
    expect(new Set(names).size).toBe(114);
    expect(operationVectors.map(({ name }) => name).sort()).toEqual([...names].sort());
  });

  it('say for every operation how it is recognised and what it needs', () => {
    const lacking = operationVectors.filter(
      ({ routes, authorizations }) => routes.length === 0 || authorizations.length === 0,
    );
    expect(lacking.map(({ name }) => name)).toEqual([]);
  });

  it('have every operation that AWS has for every store', () => {
    const refusing = operationVectors.filter(({ routes }) =>
      routes.every(({ refusal }) => refusal !== undefined),
    );
    const others = ['aws-only', 'express', 'object-lambda'].flatMap((group) => operationNames[group] ?? []);
    expect(refusing.map(({ name }) => name).sort()).toEqual([...others, 'PostObject'].sort());
  });

  it('reach every operation there is, and no other', () => {
    const reached = operationVectors.flatMap(({ routes }) =>
      routes.filter(({ refusal }) => refusal === undefined).map((vector) => routed(vector).operation),
    );
    const answering = operations.filter(
      ({ action, isPreflight }) => action !== undefined || isPreflight === true,
    );
    expect(answering.filter((operation) => !reached.includes(operation))).toEqual([]);
    expect(operations.filter(({ name }) => !names.includes(name))).toEqual([]);
    expect(names.filter((name) => !operations.some((operation) => operation.name === name))).toEqual([]);
  });
});

describe.each(operationVectors.map((vectors) => [vectors.name, vectors] as const))('%s', (name, vectors) => {
  it.each(vectors.routes.map((vector) => [vector.request, vector] as const))('is %s', (_, vector) => {
    if (vector.refusal !== undefined) {
      expect(refusalOf(() => routed(vector))).toBe(vector.refusal);
      return;
    }
    const { operation, bucket, key, parameters } = routed(vector);
    expect([operation.name, bucket, key]).toEqual([name, vector.bucket, vector.key]);
    expect(parameters.get('versionId')).toBe(vector.version);
  });

  it.each(vectors.authorizations.map((vector) => [vector.when, vector] as const))('when %s', (_, vector) => {
    if (vector.refusal !== undefined) {
      expect(refusalOf(() => understood(vector))).toBe(vector.refusal);
      return;
    }
    const { operation, permissions, conditionKeys, batch } = understood(vector);
    expect(operation.name).toBe(name);
    const items = batch?.items.map((item) => ({
      permissions: namesOf(item.permissions),
      context: contextOf(item.conditionKeys),
    }));
    expect(items).toEqual(vector.items);
    expect(namesOf(permissions)).toEqual(vector.permissions ?? []);
    if (vector.items !== undefined) return;
    expect(contextOf(conditionKeys)).toEqual(vector.context);
    const own = permissions.flatMap((permission) =>
      permission.conditionKeys === undefined
        ? []
        : [[namesOf([permission])[0], contextOf(permission.conditionKeys)] as const],
    );
    expect(Object.fromEntries(own)).toEqual(vector.ownContext ?? {});
  });
});
