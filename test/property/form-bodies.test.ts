import { expect, inject, it, vi } from 'vitest';
import { BodyFault } from '../../src/core/body-fault.ts';
import { ServiceError } from '../../src/core/service-error.ts';
import { closingLength, FormFileCheck } from '../../src/forward/form-file.ts';
import { HeaderChecks } from '../../src/forward/header-checks.ts';
import { type FormFields, FormReader } from '../../src/s3/form/form-fields.ts';
import { formBody } from '../support/post-form.ts';
import { type Random, randomFrom } from './http-answers.ts';

declare module 'vitest' {
  interface ProvidedContext {
    formBodies: number | undefined;
  }
}

const runs = inject('formBodies') ?? 20_000;
vi.setConfig({ testTimeout: 60_000 + runs });

const delimiter = '--b';

/** What a form says: its fields and its file, as text. */
const meaningOf = (fields: Iterable<readonly [string, string]>, file: string): string =>
  JSON.stringify([[...fields], file]);

/** What is made of a form that arrives in random pieces: its meaning, or a code. */
function read(body: Buffer, random: Random): string {
  const reader = new FormReader(delimiter);
  const most = [1 + random(10), 1 + random(200), body.length + 1][random(3)] ?? 1;
  let head: FormFields | undefined;
  try {
    for (let end = 0; head === undefined; ) {
      if (end === body.length) return 'incomplete';
      end = Math.min(body.length, end + 1 + random(most));
      head = reader.read(body.subarray(0, end));
    }
    const line = Buffer.from(`\r\n${delimiter}`);
    const fileLength = body.length - head.fileStart - closingLength(line);
    if (fileLength < 0) return 'form_continues';
    const check = new FormFileCheck(fileLength, line, new HeaderChecks([]));
    const file: Buffer[] = [];
    for (let index = head.fileStart; index < body.length; ) {
      const end = index + 1 + random(most);
      file.push(...check.take(body.subarray(index, end)));
      index = end;
    }
    check.finish();
    return meaningOf(head.fields, Buffer.concat(file).toString('latin1'));
  } catch (error) {
    if (error instanceof BodyFault) return error.reason;
    if (error instanceof ServiceError) return error.code;
    throw error;
  }
}

/** Reads a whole form the simple way: cut at every delimiter. `undefined` for one that is not well formed. */
function readSimply(body: Buffer): string | undefined {
  const [before, ...parts] = `\r\n${body.toString('latin1')}`.split(`\r\n${delimiter}`);
  if (before !== '' || parts.pop() !== '--\r\n') return undefined;
  if (parts.some((part) => !part.includes('\r\n\r\n'))) return undefined;
  const read = parts.map((part): readonly [string, string] => {
    const end = part.indexOf('\r\n\r\n');
    const name =
      /\r\nContent-Disposition: *form-data; *name="([^"]*)"/i.exec(part.slice(0, Math.max(end, 0)))?.[1] ??
      '';
    return [Buffer.from(name, 'latin1').toString().toLowerCase(), part.slice(end + 4)];
  });
  const file = read.pop();
  if (file?.[0] !== 'file') return undefined;
  const fields = read.map(([name, value]) => [name, Buffer.from(value, 'latin1').toString()] as const);
  return meaningOf(fields, file[1]);
}

const texts = ['', 'a', '\r\n', '--b', '\r\n--', '\r\n--c', 'ü漢', '\r\n\r\n', 'a'.repeat(300)];

function form(random: Random): Buffer {
  const text = (): string => texts[random(texts.length)] ?? '';
  const names = ['key', 'policy', 'acl', 'x-amz-meta-a'].slice(0, random(5));
  const fields = names.map((name) => [name, text()] as const);
  return formBody({ fields, file: Buffer.from(text() + text()), fileName: 'n' }, 'b');
}

const pieces = [
  '\r\n',
  '--b',
  '\r\n--b',
  '--b--',
  '"',
  ';',
  '\r\n\r\n',
  '--',
  'name="file"',
  '\r\n--b--\r\n',
  '\n',
  ' ',
];

function changed(body: Buffer, other: Buffer, random: Random): Buffer {
  const at = random(body.length);
  const [before, after] = [body.subarray(0, at), body.subarray(at)];
  switch (random(6)) {
    case 0:
      return Buffer.concat([before, Buffer.from([(after[0] ?? 0) ^ (1 << random(8))]), after.subarray(1)]);
    case 1:
      return Buffer.concat([before, after.subarray(1 + random(4))]);
    case 2:
      return Buffer.concat([before, Buffer.from(pieces[random(pieces.length)] ?? ''), after]);
    case 3:
      return before;
    case 4:
      return Buffer.concat([before, other.subarray(random(other.length))]);
    default:
      return Buffer.concat([body, after]);
  }
}

it('reads a form as a simple reader does, or not at all, however it arrives', () => {
  const seed = Date.now() % 2 ** 31;
  const random = randomFrom(seed);
  let accepted = 0;
  for (let run = 0; run < runs; run += 1) {
    const whole = form(random);
    const body = random(4) === 0 ? whole : changed(whole, form(random), random);
    const outcome = read(body, random);
    const isRefused = /^\w+$/.test(outcome);
    if (isRefused) {
      if (body === whole) expect(readSimply(body), `seed ${seed}`).toBeUndefined();
      // The code may depend on how much has come; that it is refused may not.
      expect(read(body, random), `seed ${seed}`).toMatch(/^\w+$/);
      continue;
    }
    accepted += 1;
    expect(outcome, `seed ${seed}`).toBe(readSimply(body));
    expect(read(body, random), `seed ${seed}`).toBe(outcome);
  }
  expect(accepted).toBeGreaterThan(runs / 4);
  expect(accepted).toBeLessThan(runs);
});
