import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { estimateMemory, type MemoryLimits, memoryFaults } from '../../src/config/memory-estimate.ts';
import { processSources } from '../../src/config/sources.ts';
import { configuration, load } from './samples.ts';

const mebibyte = 1024 * 1024;

/** A container with the heap that the image and the chart give it: two fifths, and three semi-spaces of 16 MiB. */
function container(mebibytes: number, heapMebibytes = Math.floor(mebibytes * 0.4) + 48): MemoryLimits {
  return { containerBytes: mebibytes * mebibyte, heapBytes: heapMebibytes * mebibyte };
}

const small = { maxConnections: 4000, maxInFlight: 500, maxBufferedBytes: 32 * mebibyte };

function warningsOf(limits: object, memory?: MemoryLimits): readonly string[] {
  const text = configuration({ server: `server: { limits: ${JSON.stringify(limits)} }` });
  return load(text, memory === undefined ? {} : { memory }).warnings;
}

describe('the memory of a container', () => {
  it('is enough for limits that fit, and gives no warning', () => {
    expect(warningsOf(small, container(384))).toEqual([]);
  });

  it('is too small for the defaults of the program in 640 MiB, with the place of the limits', () => {
    const text = configuration({ server: 'server: { listen: "127.0.0.1:0" }' });
    expect(load(text, { memory: container(640) }).warnings).toEqual([
      "sidecar.yaml:20:9 server.limits: warning: may need 758 MiB, and the container has 640 MiB: lower maxConnections, maxInFlight or maxBufferedBytes, or raise the container's memory limit",
      "sidecar.yaml:20:9 server.limits: warning: may need a heap of 379 MiB, and V8's ends at 304 MiB: lower maxConnections or maxInFlight, or raise --max-old-space-size in NODE_OPTIONS",
    ]);
    expect(load(text, { memory: container(1024) }).warnings).toEqual([]);
  });

  it.each(['maxConnections', 'maxInFlight', 'maxBufferedBytes'] as const)(
    'is too small when %s is raised',
    (name) => {
      const larger = { ...small, [name]: small[name] * 2 };
      const sum = (limits: typeof small): number => {
        const { heap, outside } = estimateMemory(limits);
        return heap + outside;
      };
      expect(sum(larger)).toBeGreaterThan(sum(small) + 20 * mebibyte);
      const warnings = warningsOf(larger, container(384));
      expect(warnings[0]).toContain('server.limits: warning: may need');
      expect(warnings[0]).toContain('the container has 384 MiB');
    },
  );

  it('is more with TLS', () => {
    const plain = estimateMemory(small);
    const secure = estimateMemory(small, { isSecure: true });
    // Each may have an unfinished record of 16 KiB, which costs twice that.
    expect(secure.outside - plain.outside).toBeGreaterThan(small.maxConnections * 46 * 1024);
    expect(memoryFaults(small, container(384))).toEqual([]);
    expect(memoryFaults(small, container(384), { isSecure: true })[0]).toContain('the container has 384 MiB');
    expect(memoryFaults(small, container(512), { isSecure: true })[0]).toContain('the container has 512 MiB');
    expect(memoryFaults(small, container(640), { isSecure: true })).toEqual([]);
  });

  it('is more with an audit trail, by what may wait for each of its sinks', () => {
    const server = `server: { limits: ${JSON.stringify(small)} }`;
    const warnings = (audit: string): readonly string[] =>
      load(`${configuration({ server })}\n${audit}\n`, { memory: container(384) }).warnings;
    expect(warnings('audit: { stdout: true, maxQueuedBytes: 1048576 }')).toEqual([]);
    expect(warnings('audit: { stdout: true, file: audit.log, maxQueuedBytes: 41943040 }')[0]).toContain(
      'the container has 384 MiB',
    );
    expect(warnings('audit: { maxQueuedBytes: 1073741824 }').join('\n')).not.toContain('the container has');
  });

  it('must have room for the largest heap that V8 allows, beside everything else', () => {
    // What V8 takes by itself in 384 MiB.
    expect(warningsOf(small, container(384, 288))).toEqual([
      expect.stringMatching(
        /server\.limits: warning: leave no room for V8's heap, which may grow to 288 MiB in a container of 384 MiB: set NODE_OPTIONS="--max-old-space-size=153 --max-semi-space-size=16"/,
      ),
    ]);
  });

  it('is not judged where no container bounds it, but the heap is', () => {
    const many = { maxConnections: 10_000, maxInFlight: 2000 };
    expect(warningsOf(many, { containerBytes: undefined, heapBytes: 4096 * mebibyte })).toEqual([]);
    expect(warningsOf(many, { containerBytes: undefined, heapBytes: 100 * mebibyte })).toEqual([
      expect.stringMatching(/may need a heap of \d+ MiB, and V8's ends at 100 MiB/),
    ]);
  });

  it('is not judged where it is unknown', () => {
    expect(warningsOf({ maxConnections: 1_000_000, maxInFlight: 1_000_000 })).toEqual([]);
  });

  it('is read from the process: the heap always, the container where there is a limit', () => {
    const { memory } = processSources('.', {});
    expect(memory?.heapBytes).toBeGreaterThan(16 * mebibyte);
    const { containerBytes } = memory ?? {};
    expect(containerBytes === undefined || containerBytes > 0).toBe(true);
  });
});

describe('the table of docs/operating.md', () => {
  const page = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| ([\d,]+) +\| ([\d,]+) +\| ([\d,]+) +\| (\d+)Mi +\|/gm)].map((row) =>
    row.slice(1).map((text) => Number(text.replaceAll(',', ''))),
  );

  it('has a row for each size of installation', () => {
    expect(rows.map(([connections]) => connections)).toEqual([500, 2000, 4000, 10_000]);
  });

  it.each(rows)(
    'fits: %d connections, %d requests, %d bytes in %d MiB',
    (connections, inFlight, bytes, limit) => {
      const limits = {
        maxConnections: connections ?? 0,
        maxInFlight: inFlight ?? 0,
        maxBufferedBytes: bytes ?? 0,
      };
      expect(memoryFaults(limits, container(limit ?? 0))).toEqual([]);
    },
  );

  const more = /^With TLS these need ([\d, Miand]+) more/m.exec(page)?.[1]?.match(/\d+/g)?.map(Number) ?? [];

  it.each(rows.map((row, index) => ({ row, further: more[index] ?? 0 })))(
    'fits with TLS: $row and $further MiB more',
    ({ row: [maxConnections = 0, maxInFlight = 0, maxBufferedBytes = 0, limit = 0], further }) => {
      const limits = { maxConnections, maxInFlight, maxBufferedBytes };
      expect(memoryFaults(limits, container(limit + further), { isSecure: true })).toEqual([]);
    },
  );
});

describe('the heap', () => {
  it('is bounded by the image as the warning says it should be', () => {
    const file = readFileSync(new URL('../../deploy/Dockerfile', import.meta.url), 'utf8');
    const [, percentage, semiSpace] =
      /^ENV NODE_OPTIONS="--max-old-space-size-percentage=(\d+) --max-semi-space-size=(\d+)"$/m.exec(file) ??
      [];
    expect([percentage, semiSpace]).toEqual(['40', '16']);
    const [warning] = warningsOf(small, container(1000, 990));
    expect(warning).toContain('--max-old-space-size=400 --max-semi-space-size=16');
  });
});

describe('maxUnauthenticated', () => {
  it.each([
    [{ maxConnections: 64 }, 1],
    [{ maxConnections: 100, maxUnauthenticated: 200 }, 1],
    [{ maxConnections: 65 }, 0],
  ])('leaves connections for known callers: %o', (limits, count) => {
    const warnings = warningsOf(limits);
    expect(warnings).toHaveLength(count);
    for (const warning of warnings) {
      expect(warning).toMatch(
        /server\.limits(?:\.maxUnauthenticated)?: warning: is \d+, and maxConnections \d+: unauthenticated clients can take/,
      );
    }
  });
});
