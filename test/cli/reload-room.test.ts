import { describe, expect, it } from 'vitest';
import { roomForReload } from '../../src/cli/reload-room.ts';

const mebibyte = 1024 * 1024;
/** Far more than the heap of this process has. */
const gibibyte = 1024 * mebibyte;

/** A configuration of a gibibyte in 10 million characters, and as much free heap as said. */
const started = (freeGibibytes: number): Parameters<typeof roomForReload>[1] => ({
  heapBytes: gibibyte + 2 * mebibyte,
  characters: 10_000_000,
  freeBytes: freeGibibytes * gibibyte,
});

function world(freeGibibytes: number): {
  attempt: (fileBytes: number, charactersInForce: number) => string;
  done: string[];
} {
  const done: string[] = [];
  const noted = (name: string, result: boolean) => (): boolean => {
    done.push(name);
    return result;
  };
  const app = {
    emptyCaches: () => undefined,
    endUnplaced: noted('unplaced', false),
    endEarlier: noted('earlier', false),
    endBusiest: noted('busiest', true),
    reload: noted('reload', false),
  };
  const room = roomForReload(app, started(freeGibibytes));
  return { attempt: (fileBytes, characters) => room.find({ fileBytes, inForce: characters }, 'file'), done };
}

// Two and a half times what it takes, and 64 MiB: some 2.6 GiB for 10 MB. 100 times as much is more than any machine has.
describe('a reload without room', () => {
  const bytes = 10_000_000;

  it('resets requests where it fits beside the configuration in force, the second time those of the busiest', () => {
    const { attempt, done } = world(300);
    expect(attempt(100 * bytes, bytes)).toBe('none');
    expect(done).toEqual(['unplaced', 'earlier', 'reload']);
    expect(attempt(100 * bytes, bytes)).toBe('soon');
    expect(done.slice(3)).toEqual(['unplaced', 'earlier', 'busiest']);
  });

  it('resets nothing where it would only fit without the configuration in force', () => {
    // 250.06 GiB are needed; 249.5 are free beside the gibibyte in force.
    const { attempt, done } = world(249.5);
    for (let count = 0; count < 3; count += 1) expect(attempt(100 * bytes, bytes)).toBe('none');
    expect(done).toEqual(['reload']);
  });

  it('counts what a smaller configuration in force has freed', () => {
    const { attempt, done } = world(249.5);
    expect(attempt(100 * bytes, bytes / 10)).toBe('none');
    expect(attempt(100 * bytes, bytes / 10)).toBe('soon');
    expect(done).toContain('busiest');
  });

  it('counts what a larger configuration in force takes', () => {
    const { attempt, done } = world(250.5);
    expect(attempt(100 * bytes, bytes)).toBe('none');
    expect(done).toContain('earlier');
    const larger = world(250.5);
    expect(larger.attempt(100 * bytes, 2 * bytes)).toBe('none');
    expect(larger.done).toEqual(['reload']);
  });
});
