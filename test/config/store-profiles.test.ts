import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { storeProfiles } from '../../src/config/store-profiles.ts';
import type { StoreFeature } from '../../src/core/store-feature.ts';
import { operations } from '../../src/s3/operations/index.ts';
import { configuration, load, problemsOf, validSections } from './samples.ts';

const backendWith = (...lines: readonly string[]): string =>
  configuration({ backend: [validSections['backend'], ...lines].join('\n  ') });

const settingsOf = (...lines: readonly string[]) => {
  const { profile, trailers, supports } = load(backendWith(...lines)).settings.backend;
  return { profile, trailers, supports };
};

describe('backend.profile', () => {
  it.each(Object.entries(storeProfiles))('%s gives trailers and supports their defaults', (name, row) => {
    const { trailers, supports } = row;
    expect(settingsOf(`profile: ${name}`)).toEqual({ profile: name, trailers, supports });
  });

  it('is other without a setting, which is what a store was taken for before there were profiles', () => {
    expect(settingsOf()).toEqual({ profile: 'other', trailers: 'reframe', supports: [] });
  });

  it('gives way to what is set, an empty list included', () => {
    expect(settingsOf('profile: versitygw', 'supports: []', 'trailers: decode')).toEqual({
      profile: 'versitygw',
      trailers: 'decode',
      supports: [],
    });
    expect(settingsOf('profile: swift', 'supports: [conditionalCopy]')).toMatchObject({
      trailers: 'decode',
      supports: ['conditionalCopy'],
    });
  });

  it.each(['MinIO', 'aws', 'constructor', '""', 'null', '[minio]'])('must not be %s', (name) => {
    expect(problemsOf(backendWith(`profile: ${name}`))).toEqual([
      expect.stringContaining(' backend.profile: '),
    ]);
  });

  it.each([
    ['ceph-rgw', 'trailers: reframe', 'backend.trailers: warning: contradicts profile ceph-rgw'],
    ['swift', 'trailers: reframe', 'backend.trailers: warning: contradicts profile swift'],
    ['seaweedfs', 'trailers: reframe', 'backend.trailers: warning: contradicts profile seaweedfs'],
    [
      'minio',
      'supports: [conditionalComplete, conditionalCopy]',
      'backend.supports[1]: warning: contradicts',
    ],
    [
      'ceph-rgw',
      'supports: [conditionalDelete]',
      'backend.supports[0]: warning: contradicts profile ceph-rgw',
    ],
  ])('%s is named in a warning with %s', (name, setting, message) => {
    expect(load(backendWith(`profile: ${name}`, setting)).warnings).toEqual([
      expect.stringContaining(message),
    ]);
  });

  it.each([
    ['minio', 'trailers: decode'],
    ['minio', 'trailers: reframe'],
    ['minio', 'supports: []'],
    ['garage', 'trailers: reframe'],
    ['garage', 'supports: [conditionalCopy]'],
    ['other', 'supports: [conditionalCopy, annotations]'],
    ['versitygw', 'supports: [conditionalDelete]'],
  ])('%s comes without a warning with %s', (name, setting) => {
    expect(load(backendWith(`profile: ${name}`, setting)).warnings).toEqual([]);
  });
});

// The interop tests compare the sections of that page with the stores themselves.
describe.each(Object.values(storeProfiles).filter(({ isTested }) => isTested))(
  'the profile of $product',
  ({ product, trailers, supports }) => {
    const page = readFileSync(new URL('../../docs/compatibility.md', import.meta.url), 'utf8');
    const section = page.split(/^## /m).find((text) => text.startsWith(`${product}\n`)) ?? '';
    const rows = section
      .split('\n')
      .filter((line) => line.startsWith('| '))
      .map((line) => line.split('|').map((cell) => cell.trim()));

    /** The feature without which a condition is not sent; `undefined` for one that every store is sent. */
    function featureOf(operation: string, condition: string): StoreFeature | undefined {
      if (operation === 'DeleteObjects') return 'conditionalBatchDelete';
      const header =
        condition
          .toLowerCase()
          .replaceAll('`', '')
          .split(/[:,]| of /)[0] ?? '';
      return operations.find(({ name }) => name === operation)?.conditions?.get(header);
    }

    it('supports what obeys every condition, and nothing else', () => {
      const obeyed = new Map<StoreFeature, boolean>();
      for (const [, operation = '', condition = '', store = ''] of rows) {
        if (!['obeys', 'ignores', 'refuses'].includes(store)) continue;
        // The sidecar looks itself whether the object is there (decision 22).
        if (/ of what was deleted$| after a deletion$/.test(condition)) continue;
        const feature = featureOf(operation, condition);
        if (feature !== undefined) obeyed.set(feature, obeyed.get(feature) !== false && store !== 'ignores');
      }
      expect([...obeyed.keys()].toSorted()).toEqual([
        'conditionalBatchDelete',
        'conditionalComplete',
        'conditionalCopy',
        'conditionalDelete',
        'sizeAndTimeConditions',
      ]);
      const found = [...obeyed].filter(([, isObeyed]) => isObeyed).map(([feature]) => feature);
      expect(found.toSorted()).toEqual(supports.toSorted());
    });

    it('has the trailers that the store takes', () => {
      const row = rows.find(([, upload]) => upload === 'unsigned chunks with a checksum trailer');
      expect(row?.[2]?.startsWith('accepted; the data is stored')).toBe(trailers === 'reframe');
    });
  },
);
