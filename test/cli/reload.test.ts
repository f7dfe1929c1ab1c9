import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../src/app.ts';
import type { ReadElsewhere } from '../../src/cli/read-in-worker.ts';
import { reloadElsewhere } from '../../src/cli/reload.ts';
import { ConfigurationInputs } from '../../src/config/inputs.ts';
import type { LoadResult } from '../../src/config/load.ts';

let path: string;
let inputs: ConfigurationInputs;

beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'sts-sidecar-')), 'sidecar.yaml');
  writeFileSync(path, 'one'.padEnd(40_000));
  inputs = new ConfigurationInputs();
  inputs.read(path, 100_000);
});
afterEach(() => rmSync(join(path, '..'), { recursive: true }));

function world(
  readElsewhere: ReadElsewhere,
  { hasThread = true, readHere = (): LoadResult => expect.unreachable('is read in another thread') } = {},
): {
  readonly attempt: (isAsSeen?: boolean) => Promise<ConfigurationInputs | string>;
  readonly taken: readonly LoadResult[];
} {
  const taken: LoadResult[] = [];
  const reload: App['reload'] = (loaded) => {
    taken.push(loaded);
    return loaded.ok;
  };
  const reloadInSteps: App['reloadInSteps'] = function* (loaded) {
    yield;
    return reload(loaded, 'file');
  };
  const attempt = reloadElsewhere({
    app: { reload, reloadInSteps },
    path,
    overrides: {},
    inputs,
    room: {
      find: () => 'free',
      forThread: () => ({ heapBytes: 1, limitBytes: 1 }),
      hasThread: () => hasThread,
    },
    readElsewhere,
    readHere,
    signal: new AbortController().signal,
  });
  return {
    attempt: (isAsSeen = true) =>
      attempt({ trigger: 'file', current: inputs, isAsSeen: async () => isAsSeen }),
    taken,
  };
}

/** The file, with a problem. */
const readWithProblem: ReadElsewhere = async () => {
  const read = new ConfigurationInputs();
  read.read(path, 100_000);
  return { ok: false, problems: ['a problem'], inputs: read.list() };
};

describe('a reload in another thread', () => {
  it('that fails is reported once, without the text of the error, and tried again', async () => {
    let calls = 0;
    const { attempt, taken } = world(async (...request) => {
      calls += 1;
      if (calls === 3) return await readWithProblem(...request);
      throw Object.assign(new Error('a secret'), { code: 'ERR_WORKER_OUT_OF_MEMORY' });
    });
    expect(await attempt()).toBe('none');
    expect(await attempt()).toBe('none');
    const failure = {
      ok: false,
      problems: [
        'reading the configuration again takes more heap than is free: it is tried again, or takes effect at a restart',
      ],
    };
    expect(taken).toEqual([failure]);
    expect(await attempt()).toBeInstanceOf(ConfigurationInputs);
    expect(await attempt()).toBe('none');
    expect(taken.slice(2)).toEqual([failure]);
  });

  it('reports the problems of the files, which are not tried again', async () => {
    const { attempt, taken } = world(readWithProblem);
    const read = await attempt();
    expect(taken).toMatchObject([{ ok: false, problems: ['a problem'] }]);
    expect(read).toBeInstanceOf(ConfigurationInputs);
  });

  it('takes nothing over, and reports nothing, when a file has changed since it was read', async () => {
    const { attempt, taken } = world(async (...request) => {
      const passed = await readWithProblem(...request);
      writeFileSync(path, 'two');
      return passed;
    });
    expect(await attempt()).toBe('changed');
    expect(taken).toEqual([]);
  });

  it('takes nothing over of files that are not as two looks have found them', async () => {
    const { attempt, taken } = world(readWithProblem);
    expect(await attempt(false)).toBe('changed');
    expect(taken).toEqual([]);
  });
});

const readNowhere: ReadElsewhere = () => expect.unreachable('is read at once');

it.each([
  ['short files', 'short', true],
  ['files for whose thread the container has no memory', 'one'.padEnd(40_000), false],
])('%s are read in this thread', async (_, text, hasThread) => {
  writeFileSync(path, text);
  const { attempt, taken } = world(readNowhere, {
    hasThread,
    readHere: () => ({ ok: false, problems: ['read here'] }),
  });
  expect(await attempt()).toBeInstanceOf(ConfigurationInputs);
  expect(taken).toEqual([{ ok: false, problems: ['read here'] }]);
});

it('an error while files are read in this thread is a problem, without its text', async () => {
  writeFileSync(path, 'short');
  const { attempt, taken } = world(readNowhere, {
    readHere: () => {
      throw new TypeError('a secret');
    },
  });
  await attempt();
  expect(taken).toEqual([{ ok: false, problems: [`${path} cannot be read: TypeError`] }]);
});

it('a thread that fails again after files were read in between is reported again', async () => {
  const { attempt, taken } = world(async () => await Promise.reject(new Error('a secret')), {
    readHere: () => ({ ok: false, problems: ['read here'] }),
  });
  await attempt();
  writeFileSync(path, 'short');
  await attempt();
  writeFileSync(path, 'one'.padEnd(40_000));
  await attempt();
  expect(taken.map((loaded) => loaded.ok || loaded.problems[0])).toEqual([
    expect.stringContaining('failed: unknown error'),
    'read here',
    expect.stringContaining('failed: unknown error'),
  ]);
});
