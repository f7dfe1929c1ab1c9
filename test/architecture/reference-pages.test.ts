import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { storeProfileNames, storeProfiles } from '../../src/config/store-profiles.ts';
import { headErrorTable } from '../../src/edge/head-fault.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import { s3ErrorTable } from '../../src/s3/errors.ts';
import type { S3Operation } from '../../src/s3/operation.ts';
import { operations } from '../../src/s3/operations/index.ts';
import { stsErrorTable } from '../../src/sts/errors.ts';
import { withTables } from './sts-table.ts';

const code = (text: string): string => `\`${text}\``;
const codes = (texts: readonly string[]): string => texts.map(code).join(', ');
const cell = (text: string): string => text.replaceAll('|', '\\|');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

// `npm run generate` writes the pages anew from the tables of the source.
describe.each([
  ['docs/metrics.md', metricsPage],
  ['docs/errors.md', errorsPage],
  ['docs/s3-operations.md', operationsPage],
  ['docs/sts.md', stsPage],
  ['docs/compatibility.md', compatibilityPage],
])('%s', (path, page) => {
  it('is what the source says', async () => {
    await expect(page()).toMatchFileSnapshot(`../../${path}`);
  });
});

/** The page itself, of which only the tables are generated. */
function stsPage(): string {
  return withTables(readFileSync(new URL('../../docs/sts.md', import.meta.url), 'utf8'));
}

/** The page itself, of which only the table of profiles is generated: aligned, as the formatter wants it. */
function compatibilityPage(): string {
  const page = readFileSync(new URL('../../docs/compatibility.md', import.meta.url), 'utf8');
  const rows = storeProfileNames.map((name) => {
    const { product, isTested, trailers, supports, note } = storeProfiles[name];
    const proof = isTested ? 'tested' : name === 'other' ? '' : 'not tested';
    const facts = [proof, note].filter((text) => text !== '').join('; ');
    return [code(name), product, code(trailers), supports.length === 0 ? 'nothing' : codes(supports), facts];
  });
  const head = ['`backend.profile`', 'store, from version', '`trailers`', '`supports`', 'state'];
  const lines = [head, head.map(() => ''), ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const aligned = lines.map((line, row) =>
    line.map((text, column) => text.padEnd(widths[column] ?? 0, row === 1 ? '-' : ' ')).join(' | '),
  );
  const start = '<!-- Profiles: npm run generate -->';
  const end = '<!-- End of the profiles -->';
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  if (from < 0 || to < from)
    throw new Error('docs/compatibility.md has lost the marks of its generated part');
  return `${page.slice(0, from)}${start}\n\n${aligned.map((line) => `| ${line} |`).join('\n')}\n\n${page.slice(to)}`;
}

function metricsPage(): string {
  const rows = new Metrics().descriptions.map(({ name, type, labels, help }) => [
    code(name),
    type,
    codes(labels),
    help,
  ]);
  return `# Metrics

\`GET /metrics\` on the admin listener, in Prometheus' text format. No label holds an object key, a principal or an access key, so
clients cannot make new series. Beside these there are Node's own: \`process_*\` and \`nodejs_*\`, among them the event loop's delay
(\`nodejs_eventloop_lag_p50_seconds\`, \`nodejs_eventloop_lag_p99_seconds\`).

${table(['Metric', 'Type', 'Labels', 'Meaning'], rows)}
`;
}

function errorsPage(): string {
  const rows = (
    protocol: 's3' | 'sts',
    errors: ReadonlyMap<string, readonly [number, string]>,
  ): string[][] => {
    const ofHeads = headErrorTable(protocol).filter(([name, status]) => errors.get(name)?.[0] !== status);
    const onceEach = new Map(ofHeads.map((row) => [`${row[0]} ${row[1]}`, row]));
    const others = [...errors].map(([name, [status, text]]) => [name, status, text] as const);
    return [...others, ...onceEach.values()]
      .toSorted(([a, aStatus], [b, bStatus]) => (a < b ? -1 : a > b ? 1 : aStatus - bStatus))
      .map(([name, status, text]) => [code(name), String(status), text]);
  };
  return `# Error codes

The codes that the sidecar itself answers with, and the usual message of each; many answers have a more exact one. Errors of the
store are passed on with its own codes, except where they would tell the caller more than it may know.
[troubleshooting.md](troubleshooting.md) says for each code how to find the cause.

## S3

${table(['Code', 'Status', 'Message'], rows('s3', s3ErrorTable()))}

## STS

${table(['Code', 'Status', 'Message'], rows('sts', stsErrorTable()))}
`;
}

function operationsPage(): string {
  const isRefused = ({ action, isPreflight }: S3Operation): boolean =>
    action === undefined && isPreflight !== true;
  const rows = operations
    .filter((operation) => !isRefused(operation))
    .map((operation) => [operation.name, request(operation), action(operation), limits(operation)]);
  const names = operations.filter(isRefused).map(({ name }) => name);
  const refused = [...new Set(names)].filter((name) => name !== 'PostObject').toSorted();
  return `# S3 operations

Every operation that the sidecar passes on, how it is recognised, and the IAM action that it needs. Headers can make further
actions necessary (an ACL, tags, a copy source, governance bypass). A request that fits no row never reaches the store.

${table(['Operation', 'Request', 'Action', 'Needs'], rows)}

\`PostObject\`, a form that is posted to a bucket, is carried out as the PutObject that it stands for, and needs the same.

These are recognised and answered with \`NotImplemented\`: ${refused.join(', ')}.
`;
}

const paths = { service: '/', bucket: '/BUCKET', object: '/BUCKET/KEY' };

function request({ method, scope, selectors, selectingHeader }: S3Operation): string {
  const query = selectors.length === 0 ? '' : `?${selectors.join('&')}`;
  const line = code(`${method} ${paths[scope]}${query}`);
  return selectingHeader === undefined ? line : `${line} with ${code(selectingHeader)}`;
}

function action(operation: S3Operation): string {
  if (operation.action === undefined) return 'none: a preflight has no caller';
  const { versionAction } = operation;
  const plain = code(operation.action);
  return versionAction === undefined ? plain : `${plain}; with \`versionId\` ${code(versionAction)}`;
}

function limits({ unlessKnown, conditions }: S3Operation): string {
  const features = new Set(conditions?.values());
  if (unlessKnown !== undefined && unlessKnown !== 'probe') features.add(unlessKnown);
  const needs = [...features].map((feature) => `\`backend.supports: ${feature}\``);
  if (unlessKnown === 'probe') needs.unshift('a store that knows the selector');
  const forConditions = conditions === undefined ? '' : ' for its conditional headers';
  return needs.length === 0 ? '' : needs.join(', ') + forConditions;
}
