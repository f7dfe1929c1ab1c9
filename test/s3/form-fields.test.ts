import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../src/core/service-error.ts';
import { readDelimiter } from '../../src/s3/form/boundary.ts';
import { type FormFields, FormReader } from '../../src/s3/form/form-fields.ts';
import { formBody } from '../support/post-form.ts';
import { toRawRequest } from '../support/raw-requests.ts';

/** What a reader makes of a body that arrives in pieces of at most `step` bytes: fields, file name and what follows; or a code. */
function read(body: Buffer | string, step = Number.POSITIVE_INFINITY, delimiter = '--b'): unknown {
  const bytes = Buffer.from(body);
  const reader = new FormReader(delimiter);
  try {
    for (let end = Math.min(step, bytes.length); ; end = Math.min(end + step, bytes.length)) {
      const found = reader.read(bytes.subarray(0, end));
      if (found !== undefined) return shown(found, bytes);
      if (end === bytes.length) return 'more';
    }
  } catch (error) {
    if (error instanceof ServiceError) return error.code;
    throw error;
  }
}

function shown({ fields, fileName, fileStart }: FormFields, bytes: Buffer): unknown {
  return [Object.fromEntries(fields), fileName, bytes.toString('utf8', fileStart)];
}

const part = (disposition: string, value: string, further = ''): string =>
  `--b\r\nContent-Disposition: form-data; ${disposition}${further}\r\n\r\n${value}\r\n`;
const rest = part('name="file"; filename="n"', 'data');

describe('the fields of a form', () => {
  it.each<[string, string, unknown]>([
    ['are read up to the file', part('name="Key"', 'a') + rest, [{ key: 'a' }, 'n', 'data\r\n']],
    ['may be empty', part('name="key"', '') + rest, [{ key: '' }, 'n', 'data\r\n']],
    [
      'may have lines',
      part('name="key"', 'a\r\n\r\n--c\r\n') + rest,
      [{ key: 'a\r\n\r\n--c\r\n' }, 'n', 'data\r\n'],
    ],
    ['are UTF-8', part('name="ü"', '漢') + rest, [{ ü: '漢' }, 'n', 'data\r\n']],
    ['may be none', rest, [{}, 'n', 'data\r\n']],
    [
      'may say their type',
      part('name="key"', 'a', '\r\nContent-Type: text/plain') + rest,
      [{ key: 'a' }, 'n', 'data\r\n'],
    ],
    [
      'may say that they are not encoded',
      part('name="key"', 'a', '\r\nContent-Transfer-Encoding: 8BIT') + rest,
      [{ key: 'a' }, 'n', 'data\r\n'],
    ],
    ['may have a file without a name', part('name="file"', 'data'), [{}, undefined, 'data\r\n']],
    ['may have a file with an empty name', part('name="file"; filename=""', 'data'), [{}, '', 'data\r\n']],
    ['may have a file that is a folder', part('name="file"; filename="a/"', 'data'), [{}, '', 'data\r\n']],
    [
      'may have a file with quotes in its name',
      part('name="file"; filename="a%22b"', ''),
      [{}, 'a"b', '\r\n'],
    ],
    [
      'leave folders out of the name of a file',
      part('name="file"; filename="C:\\a/b\\c.txt"', ''),
      [{}, 'c.txt', '\r\n'],
    ],
  ])('%s', (_, body, expected) => {
    expect(read(body)).toEqual(expected);
    expect(read(body, 1)).toEqual(expected);
  });

  it.each<[string, string | Buffer, string]>([
    ['with something before the first of them', `x${rest}`, 'MalformedPOSTRequest'],
    ['of a form with another boundary', rest.replaceAll('--b', '--c'), 'MalformedPOSTRequest'],
    ['of a form that ends at once', '--b--\r\n', 'MalformedPOSTRequest'],
    ['of a form that ends before its file', `${part('name="key"', 'a')}--b--\r\n`, 'InvalidArgument'],
    ['with a boundary that goes on', `${part('name="key"', 'a')}--bc\r\n`, 'InvalidArgument'],
    ['that are repeated', part('name="key"', 'a') + part('name="KEY"', 'b'), 'more'],
    [
      'that are repeated before the file',
      part('name="key"', 'a') + part('name="KEY"', 'b') + rest,
      'InvalidArgument',
    ],
    [
      'of more than 64',
      Array.from({ length: 65 }, (_, at) => part(`name="${at}"`, '')).join('') + rest,
      'InvalidArgument',
    ],
    ['without a disposition', '--b\r\nContent-Type: text/plain\r\n\r\na\r\n', 'MalformedPOSTRequest'],
    ['without headers', '--b\r\n\r\na\r\n\r\n', 'MalformedPOSTRequest'],
    [
      'with two dispositions',
      part('name="key"', 'a', '\r\nContent-Disposition: form-data; name="b"'),
      'MalformedPOSTRequest',
    ],
    [
      'with another disposition',
      '--b\r\nContent-Disposition: attachment; name="key"\r\n\r\na',
      'MalformedPOSTRequest',
    ],
    ['without a name', part('filename="n"', 'a'), 'MalformedPOSTRequest'],
    ['with an empty name', part('name=""', 'a'), 'MalformedPOSTRequest'],
    ['with a name that is not quoted', part('name=key', 'a'), 'MalformedPOSTRequest'],
    ['with another name of the file', part('name="file"; filename*=UTF-8\'\'n', 'a'), 'MalformedPOSTRequest'],
    ['in base64', part('name="key"', 'a', '\r\nContent-Transfer-Encoding: base64'), 'MalformedPOSTRequest'],
    [
      'with many headers',
      part('name="key"', 'a', '\r\nA: b\r\nC: d\r\nE: f\r\nG: h\r\nI: j\r\nK: l\r\nM: n\r\nO: p'),
      'MalformedPOSTRequest',
    ],
    ['with a value that begins with the boundary', part('name="key"', '--ba') + rest, 'MalformedPOSTRequest'],
    [
      'with a boundary among its headers',
      part('name="key"', 'a', '\r\n--bX: y') + rest,
      'MalformedPOSTRequest',
    ],
    ['with a folded header', part('name="key"', 'a', '\r\n x'), 'MalformedPOSTRequest'],
    ['with a bare line feed', part('name="key"', 'a', '\nX: y'), 'MalformedPOSTRequest'],
    ['that are not UTF-8', Buffer.from(part('name="key"', '\xff') + rest, 'latin1'), 'MalformedPOSTRequest'],
    ['with a name that is not UTF-8', Buffer.from(part('name="\xff"', ''), 'latin1'), 'MalformedPOSTRequest'],
  ])('%s are refused', (_, body, expected) => {
    expect(read(body)).toEqual(expected);
    expect(read(body, 1)).toEqual(expected);
  });

  it('are those that were sent, however they arrive', () => {
    const name = fc.stringMatching(/^[a-z-]{1,8}$/).filter((text) => text !== 'file');
    const value = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('\r\n', '\r\n--', '\r\n--b', '--b\r\n'),
    );
    const fields = fc.uniqueArray(
      fc.tuple(
        name,
        value.map((text) => text.toWellFormed()),
      ),
      { selector: ([first]) => first },
    );
    fc.assert(
      fc.property(fields, fc.integer({ min: 1, max: 60 }), (sent, step) => {
        const body = formBody({ fields: sent, file: Buffer.from('data'), fileName: 'n' }, 'bo');
        expect(read(body, step, '--bo')).toEqual([Object.fromEntries(sent), 'n', 'data\r\n--bo--\r\n']);
      }),
    );
  });
});

describe('a boundary', () => {
  const delimiter = (type: string): string => {
    const raw = toRawRequest({ method: 'POST', target: '/data', headers: [['content-type', type]] });
    if (raw === undefined) throw new Error('unreadable');
    try {
      return readDelimiter(raw);
    } catch (error) {
      if (error instanceof ServiceError) return error.code;
      throw error;
    }
  };

  it.each([
    ['multipart/form-data; boundary=b', '--b'],
    ['Multipart/Form-Data;boundary="a b\'()+_,-./:=?"', "--a b'()+_,-./:=?"],
    [`multipart/form-data; boundary=${'b'.repeat(70)}`, `--${'b'.repeat(70)}`],
    ['text/plain; boundary=b', 'PreconditionFailed'],
    ['', 'PreconditionFailed'],
    ['multipart/form-data', 'MalformedPOSTRequest'],
    ['multipart/form-data; boundary=', 'MalformedPOSTRequest'],
    ['multipart/form-data; boundary=""', 'MalformedPOSTRequest'],
    ['multipart/form-data; boundary="b "', 'MalformedPOSTRequest'],
    ['multipart/form-data; boundary=b; boundary=c', 'MalformedPOSTRequest'],
    ['multipart/form-data; charset=utf-8; boundary=b', '--b'],
    ['multipart/form-data; boundary=b; charset=UTF-8', '--b'],
    ['multipart/form-data ;\tBOUNDARY="b" ; Charset="utf-8" ', '--b'],
    ['multipart/form-data; boundary=b;charset=US-ASCII', '--b'],
    ['multipart/form-data; boundary=a=b/c?d', '--a=b/c?d'],
    ['multipart/form-data; charset=utf-8', 'MalformedPOSTRequest'],
    ['multipart/form-data; charset=iso-8859-1; boundary=b', 'MalformedPOSTRequest'],
    ['multipart/form-data; charset=utf-16; boundary=b', 'MalformedPOSTRequest'],
    ['multipart/form-data; charset=utf-8; charset=utf-8; boundary=b', 'MalformedPOSTRequest'],
    ['multipart/form-data; boundary=b; charset=utf-8; boundary=b', 'MalformedPOSTRequest'],
    ['multipart/form-data; boundary=b; Boundary=c', 'MalformedPOSTRequest'],
    ['multipart/form-data; boundary=b; charset=', 'MalformedPOSTRequest'],
    ['multipart/form-data; boundary=b; charset', 'MalformedPOSTRequest'],
    ['multipart/form-data; boundary=b; charset=utf-8;', 'MalformedPOSTRequest'],
    ['multipart/form-data; boundary=b;; charset=utf-8', 'MalformedPOSTRequest'],
    ['multipart/form-data; boundary=b; a=b', 'MalformedPOSTRequest'],
    ['multipart/form-data; boundary*=b', 'MalformedPOSTRequest'],
    ['multipart/form-data; boundary =b', 'MalformedPOSTRequest'],
    ['multipart/form-data; boundary="b', 'MalformedPOSTRequest'],
    ['multipart/form-data; boundary="b"c', 'MalformedPOSTRequest'],
    ['multipart/form-data; boundary="b\\"; boundary=c"', 'MalformedPOSTRequest'],
    ['multipart/form-data; a="; boundary=b"; boundary=c', 'MalformedPOSTRequest'],
    ['multipart/form-data; boundary=b, multipart/form-data; boundary=c', 'MalformedPOSTRequest'],
    [`multipart/form-data; boundary=${'b'.repeat(71)}`, 'MalformedPOSTRequest'],
    ['multipart/form-data; boundary=b\u00fc', 'MalformedPOSTRequest'],
  ])('of %j is %s', (type, expected) => {
    expect(delimiter(type)).toBe(expected);
  });
});
