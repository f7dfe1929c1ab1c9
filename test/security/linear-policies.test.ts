import { describe, expect, it } from 'vitest';
import { compileGlob, parseGlob, unlimitedSteps } from '../../src/core/glob.ts';
import { parseJson } from '../../src/core/json.ts';
import { uriEncode } from '../../src/core/uri-encode.ts';
import { parsePolicyText } from '../../src/iam/document.ts';
import { type Frames, superLinear } from '../support/hostile-texts.ts';

const inJson: Frames = [
  (text) => text,
  (text) => `[${text}]`,
  (text) => `{${text}}`,
  (text) => `["${text}"]`,
  (text) => `{"${text}":1}`,
  (text) => JSON.stringify([text]),
];

describe('steps at most double with the length of', () => {
  it('JSON', async () => {
    const read = (text: string): unknown => parseJson(text, { maxBytes: 1_000_000 });
    expect(await superLinear(read, inJson)).toEqual([]);
  });

  it('a policy', async () => {
    const statement = (members: object): string =>
      JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', ...members } });
    const frames: Frames = [
      ...inJson,
      (text) => statement({ Action: text, Resource: '*' }),
      (text) => statement({ Action: 's3:*', Resource: text }),
      (text) => statement({ Action: 's3:*', Resource: `arn:aws:s3:::${text}` }),
      (text) => statement({ Action: 's3:*', Resource: Array.from(text.slice(0, 1_000)) }),
      (text) => statement({ Action: 's3:*', Resource: '*', Sid: text }),
      (text) => statement({ Action: 's3:*', Resource: '*', Principal: { AWS: text } }),
      (text) =>
        statement({ Action: 's3:*', Resource: '*', Condition: { StringLike: { 'aws:userid': text } } }),
      (text) =>
        statement({ Action: 's3:*', Resource: '*', Condition: { NumericEquals: { 's3:max-keys': text } } }),
      (text) =>
        statement({ Action: 's3:*', Resource: '*', Condition: { DateEquals: { 'aws:CurrentTime': text } } }),
      (text) =>
        statement({ Action: 's3:*', Resource: '*', Condition: { IpAddress: { 'aws:SourceIp': text } } }),
      (text) =>
        statement({ Action: 's3:*', Resource: '*', Condition: { ArnLike: { 'aws:SourceArn': text } } }),
      (text) =>
        statement({ Action: 's3:*', Resource: '*', Condition: { BinaryEquals: { 'aws:userid': text } } }),
      (text) => statement({ Action: 's3:*', Resource: '*', Condition: { [text]: { 'aws:userid': text } } }),
    ];
    expect(await superLinear((text) => parsePolicyText(text, 'resource'), frames)).toEqual([]);
    expect(await superLinear((text) => parsePolicyText(text, 'identity'), frames)).toEqual([]);
  });

  it('a pattern, and of a text that it is compared with', async () => {
    expect(await superLinear((text) => compileGlob(parseGlob(text))('short', unlimitedSteps))).toEqual([]);
    const matchers = ['*a*b', '*?a?', 'a*?*b?c'].map((pattern) => compileGlob(parseGlob(pattern)));
    expect(await superLinear((text) => matchers.map((matches) => matches(text, unlimitedSteps)))).toEqual([]);
  });

  it('a text that is encoded', async () => {
    expect(await superLinear((text) => uriEncode(text, true))).toEqual([]);
  });
});
