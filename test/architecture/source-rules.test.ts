import { join } from 'node:path';
import type ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { repository } from './cruised-copy.ts';
import {
  choosesClock,
  type Finding,
  findNodes,
  importsFile,
  makesClock,
  readSources,
  readsClock,
  readsEnvironment,
  stringsOf,
  usesConsole,
} from './source-scan.ts';

const sources = readSources(join(repository, 'src'));
const CLOCK = 'core/clock.ts';
const ENVIRONMENT = 'config/sources.ts';
/** Runs with the machine's clock until the demo's scenario puts it forward to show a session expire. */
const DEMO_CLOCK = 'demo/demo-clock.ts';
const DEMO_COMMAND = 'cli/demo.ts';

function findEverywhere(
  matches: (node: ts.Node) => boolean,
  ...exceptIn: readonly string[]
): readonly Finding[] {
  return sources
    .filter(({ path }) => !exceptIn.includes(path))
    .flatMap((source) => findNodes(source, matches));
}

function findIn(text: string, matches: (node: ts.Node) => boolean): number {
  return findNodes({ path: 'planted.ts', text }, matches).length;
}

describe('the source', () => {
  it('is found', () => {
    const paths = sources.map(({ path }) => path);
    expect(paths).toContain(CLOCK);
    expect(paths).toContain(ENVIRONMENT);
    expect(paths).toContain('main.ts');
  });

  it('holds no file of more than 400 lines', () => {
    const long = sources
      .filter(({ text }) => text.trimEnd().split('\n').length > 400)
      .map(({ path }) => path);
    expect(long).toEqual([]);
  });

  it('names its files and folders in kebab-case, none after a catch-all', () => {
    const parts = sources.flatMap(({ path }) => path.replace(/\.ts$/u, '').split('/'));
    expect(parts.filter((part) => !/^[a-z0-9]+(?:-[a-z0-9]+)*$/u.test(part))).toEqual([]);
    expect(parts.filter((part) => /\b(?:utils?|helpers?|common|managers?)\b/u.test(part))).toEqual([]);
  });

  it('names its errors after what they carry: a Fault has a reason or a code of a closed list, an Error has none', () => {
    const classes = sources.flatMap(({ text }) => [
      ...text.matchAll(/^export class (\w+) extends \w*Error \{\n([\s\S]*?)^\}/gmu),
    ]);
    expect(classes.length).toBeGreaterThan(20);
    const badlyNamed = classes
      .filter(([, name = '', body = '']) => {
        const hasReason = /^ {2}readonly (?:reason|code): \w+(?:Reason|Code);$/mu.test(body);
        return name !== 'ServiceError' && (hasReason ? !name.endsWith('Fault') : !name.endsWith('Error'));
      })
      .map(([, name]) => name);
    expect(badlyNamed).toEqual([]);
  });

  it('reads the environment in config/sources only', () => {
    expect(findEverywhere(readsEnvironment, ENVIRONMENT)).toEqual([]);
  });

  it('reads the clock in core/clock only', () => {
    expect(findEverywhere(readsClock, CLOCK)).toEqual([]);
  });

  it('never uses the console', () => {
    expect(findEverywhere(usesConsole)).toEqual([]);
  });
});

describe('time in the shipped program', () => {
  it('comes from one clock: only the demo makes another', () => {
    expect(findEverywhere(makesClock, CLOCK, DEMO_CLOCK)).toEqual([]);
    const makers = sources
      .filter((source) => findNodes(source, makesClock).length > 0)
      .map(({ path }) => path);
    expect(makers).toContain(CLOCK);
  });

  it('cannot be moved outside the demo: nothing else reaches its clock', () => {
    const importers = findEverywhere(importsFile('demo-clock.ts'), DEMO_COMMAND).map(({ path }) => path);
    expect(importers.filter((path) => !path.startsWith('demo/'))).toEqual([]);
  });

  it('is never chosen in between: only the machine clock or the one handed in is passed on', () => {
    expect(findEverywhere(choosesClock, DEMO_COMMAND)).toEqual([]);
  });

  it('is moved by no command line flag', () => {
    const flags = sources.flatMap(stringsOf).flatMap((text) => text.match(/(?<![\w-])--[a-z][\w-]*/gu) ?? []);
    expect(flags.length).toBeGreaterThan(0);
    expect(
      flags.filter((flag) => /time(?!out)|clock|now|date|epoch|skew|offset|freeze/iu.test(flag)),
    ).toEqual([]);
  });

  it('is moved by no environment variable', () => {
    const names = sources.flatMap(stringsOf).filter((text) => /^[A-Z][A-Z0-9]*_[A-Z0-9_]*$/u.test(text));
    expect(names.filter((name) => /TIME(?!OUT)|CLOCK|NOW|DATE|EPOCH|SKEW|OFFSET|FREEZE/u.test(name))).toEqual(
      [],
    );
  });

  it('is moved by no library made for that', () => {
    const text = sources.map((source) => source.text).join('\n');
    expect(text).not.toMatch(/fake-?time|mockdate|timekeeper|useFakeTimers|mock\.timers/iu);
  });
});

describe('the search itself', () => {
  it.each([
    'Date.now()',
    'const { now } = Date;',
    'const d = new Date();',
    'const d = new Date;',
    'const t = Date();',
    'globalThis.Date.now()',
    "Date['now']()",
    'f(Date)',
  ])('finds the clock read by %s', (text) => {
    expect(findIn(text, readsClock)).toBe(1);
  });

  it.each([
    'new Date(0)',
    'Date.UTC(2026)',
    'Date.parse(text)',
    'let d: Date;',
    "const t = 'Date.now()';",
    'x.Date',
  ])('accepts %s', (text) => {
    expect(findIn(text, readsClock)).toBe(0);
  });

  it.each([
    'process.env',
    "process['env']",
    'const { env } = process;',
    'f(process)',
    "import { env } from 'node:process';",
    "import process from 'process';",
  ])('finds the environment read by %s', (text) => {
    expect(findIn(text, readsEnvironment)).toBeGreaterThan(0);
  });

  it.each(['process.exitCode = 1', 'process.stdout.write(text)', 'run.process.env', '// process.env'])(
    'accepts %s',
    (text) => {
      expect(findIn(text, readsEnvironment)).toBe(0);
    },
  );

  it.each(['console.log(1)', 'const { log } = console;', 'globalThis.console.error(1)'])(
    'finds %s',
    (text) => {
      expect(findIn(text, usesConsole)).toBe(1);
    },
  );

  it.each(['const c = { now: () => 0 };', 'const c = { now() { return 0; } };', 'const c = { now };'])(
    'finds the clock made by %s',
    (text) => {
      expect(findIn(text, makesClock)).toBe(1);
    },
  );

  it.each([
    'f({ clock: { ...systemClock } })',
    'f({ clock: fixedClock })',
    'const clock = new MovedClock();',
  ])('finds the clock chosen by %s', (text) => {
    expect(findIn(text, choosesClock)).toBe(1);
  });

  it.each(['f({ clock: systemClock })', 'f({ clock: options.clock })', 'f({ clock })'])(
    'accepts %s',
    (text) => {
      expect(findIn(text, choosesClock)).toBe(0);
    },
  );
});
