import { describe, expect, it } from 'vitest';
import { configurationOf, load, podOf, type Rendered, render, settingsOf } from './rendered.ts';

/** The program's own view of a container of that size with the heap that the chart gives it. */
function warningsIn(documents: readonly Rendered[], containerMebibytes: number): readonly string[] {
  const [, oldSpace, semiSpace] =
    /^--max-old-space-size=(\d+) --max-semi-space-size=(\d+)$/.exec(nodeOptionsOf(documents) ?? '') ?? [];
  const memory = {
    containerBytes: containerMebibytes * 1_048_576,
    // V8 has three semi-spaces.
    heapBytes: (Number(oldSpace) + 3 * Number(semiSpace)) * 1_048_576,
  };
  const loaded = load(configurationOf(documents)['sidecar.yaml'] ?? '', memory);
  return loaded.ok ? loaded.warnings : loaded.problems;
}

function nodeOptionsOf(documents: readonly Rendered[]): string | undefined {
  const { initContainers = [], containers = [] } = podOf(documents).spec as {
    readonly initContainers?: readonly Container[];
    readonly containers?: readonly Container[];
  };
  const sidecar = [...initContainers, ...containers].find(({ name }) => name === 'sts-sidecar');
  const found = sidecar?.env?.filter(({ name }) => name === 'NODE_OPTIONS') ?? [];
  expect(found.length).toBeLessThan(2);
  return found[0]?.value;
}

interface Container {
  readonly name: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}

describe('memory', () => {
  it.each(['gateway', 'sidecar', 'everything'])(
    'holds the limits, and only plain HTTP causes a warning: ci/%s-values.yaml',
    async (name) => {
      const documents = await render(name);
      const warnings = warningsIn(documents, 384);
      expect(warnings.filter((warning) => !warning.includes('plain HTTP beyond loopback'))).toEqual([]);
      const isWarned = warnings.some((warning) =>
        warning.includes('server.listen: warning: speaks plain HTTP'),
      );
      expect(isWarned).toBe(name !== 'everything');
    },
  );

  it('has limits that the values name, and takes those of the values', async () => {
    const { limits } = settingsOf(await render('gateway')).server;
    expect(limits).toMatchObject({
      maxConnections: 4000,
      maxInFlight: 500,
      maxUnauthenticated: 64,
      maxBufferedBytes: 33_554_432,
    });
    const values = { limits: { maxConnections: 10_000, maxBufferedBytes: 17_179_869_184 } };
    expect(settingsOf(await render('gateway', values)).server.limits).toMatchObject({
      maxConnections: 10_000,
      maxInFlight: 500,
      maxBufferedBytes: 17_179_869_184,
    });
  });

  it('warns at start-up of limits that do not fit', async () => {
    const documents = await render('gateway', { limits: { maxConnections: 10_000 } });
    expect(warningsIn(documents, 384).join()).toContain('server.limits: warning: may need');
    const larger = { limits: { maxConnections: 10_000 }, resources: { limits: { memory: '512Mi' } } };
    expect(warningsIn(await render('gateway', larger), 512).join()).not.toContain('server.limits');
  });

  it.each<[string | number, number]>([
    ['320Mi', 128],
    ['1Gi', 409],
    ['1.5Gi', 614],
    ['512M', 195],
    ['400000Ki', 156],
    ['335544320', 128],
    [335_544_320, 128],
  ])('gives V8 two fifths of it: %s', async (memory, mebibytes) => {
    const documents = await render('sidecar', { resources: { limits: { memory } } });
    expect(nodeOptionsOf(documents)).toBe(`--max-old-space-size=${mebibytes} --max-semi-space-size=16`);
  });

  it('without a limit leaves the heap to the image', async () => {
    expect(
      nodeOptionsOf(await render('gateway', { resources: { limits: { memory: null } } })),
    ).toBeUndefined();
  });

  it('gives way to the NODE_OPTIONS of the values', async () => {
    const extraEnv = [{ name: 'NODE_OPTIONS', value: '--max-old-space-size=200' }];
    expect(nodeOptionsOf(await render('gateway', { extraEnv }))).toBe('--max-old-space-size=200');
  });

  it('names the proxies that end TLS', async () => {
    const documents = await render('gateway', { trustedProxies: ['10.0.0.0/8'] });
    expect(settingsOf(documents).server.trustedProxies).toEqual([{ address: '10.0.0.0', prefixBits: 8 }]);
    expect(warningsIn(documents, 384).join()).not.toContain('server.listen');
  });
});
