import { describe, expect, it } from 'vitest';
import { configuration, load, problemsOf } from './samples.ts';

const audit = (section: string, outbound = ''): string =>
  configuration({ section: `audit: ${section}\n${outbound}` });
const problems = (section: string): string[] =>
  problemsOf(audit(section)).map((problem) => problem.replace(/^sidecar\.yaml:\d+:\d+ /, ''));

describe('audit', () => {
  it('is off by default', () => {
    const { settings, warnings } = load(configuration());
    expect(settings.audit).toEqual({
      stdout: false,
      failClosed: false,
      fileMaxBytes: 104_857_600,
      fileCount: 10,
      maxQueuedBytes: 8_388_608,
    });
    expect(warnings.filter((warning) => warning.includes('audit'))).toEqual([]);
  });

  it('takes every sink, and headers that are secrets', () => {
    const { settings } = load(
      audit(
        '{ stdout: true, file: /x/audit.log, webhook: { url: "https://a.example/b?c=d", headers: { X-Key: secret-of-the-webhook } }, failClosed: true }',
      ),
    );
    expect(settings.audit).toMatchObject({ stdout: true, file: '/x/audit.log', failClosed: true });
    const { webhook } = settings.audit;
    expect(webhook?.headers['X-Key']?.reveal()).toBe('secret-of-the-webhook');
    expect(JSON.stringify(settings.audit)).not.toContain('secret-of-the-webhook');
  });

  it('warns of a literal header, and of a section without a sink', () => {
    const literal = load(
      audit('{ webhook: { url: "https://a.example", headers: { X-Key: literal-secret } } }'),
    );
    expect(literal.warnings.join()).toContain('audit.webhook.headers.X-Key: warning: a literal secret');
    expect(literal.warnings.join()).not.toContain('literal-secret');
    expect(load(audit('{ maxQueuedBytes: 2097152 }')).warnings.join()).toContain(
      'audit: warning: without stdout, file, webhook or otlp there is no audit trail',
    );
  });

  it('takes plain http where outbound.allowHttp lists it, and on loopback', () => {
    for (const url of ['http://a.example:8080/b', 'http://127.0.0.1:1/b', 'http://localhost/b'])
      expect(
        load(audit(`{ webhook: { url: "${url}" } }`, 'outbound: { allowHttp: ["http://a.example:8080"] }'))
          .settings.audit.webhook?.url,
      ).toBe(url);
  });

  it.each([
    [
      '{ webhook: { url: "http://a.example/b" } }',
      'audit.webhook.url: must be https; to allow plain http, list "http://a.example" in outbound.allowHttp',
    ],
    [
      '{ webhook: { url: "https://u:p@a.example/" } }',
      'audit.webhook.url: must be an http or https URL without user and fragment',
    ],
    [
      '{ webhook: { url: "ftp://a.example/" } }',
      'audit.webhook.url: must be an http or https URL without user and fragment',
    ],
    [
      '{ webhook: { url: "https://a.example/#b" } }',
      'audit.webhook.url: must be an http or https URL without user and fragment',
    ],
    ['{ webhook: {} }', 'audit.webhook.url: is required'],
    ['{ otlp: {} }', 'audit.otlp.url: is required'],
    [
      '{ otlp: { url: "http://a.example/v1/logs" } }',
      'audit.otlp.url: must be https; to allow plain http, list "http://a.example" in outbound.allowHttp',
    ],
    [
      '{ otlp: { url: "a.example:4318" } }',
      'audit.otlp.url: must be an http or https URL without user and fragment',
    ],
    [
      '{ webhook: { url: "https://a.example", headers: { X-Key: { env: MISSING } } } }',
      'audit.webhook.headers.X-Key: the environment variable MISSING is not set',
    ],
    [
      '{ webhook: { url: "https://a.example", headers: { X-Key: "a\\nb" } } }',
      'audit.webhook.headers.X-Key: must be 1 to 8192 printable characters without spaces around them',
    ],
    [
      '{ webhook: { url: "https://a.example", headers: { Host: abcdefgh } } }',
      'audit.webhook.headers.Host: must not be a header that the sidecar sets itself',
    ],
    [
      '{ webhook: { url: "https://a.example", headers: { "a b": abcdefgh } } }',
      'audit.webhook.headers["a b"]: must be the name of an HTTP header',
    ],
    ['{ stdout: true, fileCount: 0 }', 'audit.fileCount: must be a whole number from 1 to 1000'],
    [
      '{ stdout: true, maxQueuedBytes: 1000 }',
      'audit.maxQueuedBytes: must be a whole number from 1048576 to 1073741824',
    ],
    [
      '{ stdout: true, fileMaxBytes: 1000 }',
      'audit.fileMaxBytes: must be a whole number from 1048576 to 1099511627776',
    ],
    ['{ stdot: true }', 'audit.stdot: unknown key (did you mean "stdout"?)'],
    ['{ failClosed: true }', 'audit.failClosed: needs a sink: stdout, file, webhook or otlp'],
  ])('refuses %s', (section, problem) => {
    expect(problems(section)).toEqual([problem]);
  });
});
