import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import {
  CreateBucketCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { AssumeRoleCommandInput } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CatalogRequest, catalogRequests, inputFor } from '../support/catalog-requests.ts';
import { assume, type SdkCredentials, s3Client } from '../support/sdk.ts';
import { roleArn, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { readCatalogsPage } from './catalogs/page.ts';
import { startVendingCatalog } from './catalogs/vending-catalog.ts';
import { type CachedComponent, cachedFolder } from './components.ts';
import { rowsAfter } from './page-table.ts';
import { runPython } from './python.ts';
import { type Nessie, startNessie } from './start-nessie.ts';
import { storeKinds } from './stores/index.ts';
import type { RealStore } from './stores/real-store.ts';

const page = await readCatalogsPage();
const catalog = { accessKeyId: 'AKIACATALOGCATALOG22', secretAccessKey: randomBytes(30).toString('base64') };
const bucket = 'lake';
const warehouse = 'warehouse';
const refused = { read: 'denied', write: 'denied', delete: 'denied' };
// An engine starts within seconds, unless the machine is busy.
const timeout = 300_000;

/** What `pyiceberg_table.py` prints. */
interface TableReport {
  readonly location: string;
  readonly rows: number;
  readonly files: readonly string[];
  readonly outside: Readonly<Record<string, typeof refused>>;
  readonly listed: Readonly<Record<string, string>>;
  readonly exists: boolean;
  readonly elsewhere?: string;
}

/** What each catalog sends for a table to write. */
const vending: readonly (readonly [string, CatalogRequest])[] = catalogRequests
  .filter(({ name }) => name === 'a table to write')
  .map((request) => [request.sender, request]);

const compatibility = readFileSync(new URL('../../docs/compatibility.md', import.meta.url), 'utf8');
// What the page says of a product holds for the way to set it up that the page recommends.
const products = storeKinds.filter(({ name, product }) => name === product);
const tableHead = `| engine | credentials | ${products.map(({ product }) => product).join(' | ')} |`;

describe.each(products)('catalogs and engines on $name', ({ product, trailers, start }) => {
  /** Engines that kept a table here, and where their credentials came from. */
  const ran: (readonly [engine: string, credentials: string])[] = [];
  let store: RealStore;
  let sidecar: TestSidecar;
  let nessie: Nessie;
  let atStore: S3Client;
  let archive: TableReport;
  const strangers = ['warehouse/stranger/data/1.parquet', 'other/1.parquet'];

  beforeAll(async () => {
    store = await start();
    const { directory } = page;
    const variables = { CATALOG: catalog.secretAccessKey };
    sidecar = await startSidecar({ backend: store, trailers, directory, variables });
    atStore = s3Client(store.endpoint, store, { config: { requestChecksumCalculation: 'WHEN_REQUIRED' } });
    await atStore.send(new CreateBucketCommand({ Bucket: bucket }));
    for (const Key of strangers)
      await atStore.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'not yours' }));
    nessie = await startNessie(page.nessieSettings(sidecar.url, catalog.secretAccessKey));
    const properties = { type: 'rest', uri: nessie.uri };
    archive = await table({ properties, table: 'sales.orders_archive', end: 'keep' });
  }, timeout);
  afterAll(async () => {
    await nessie?.stop();
    await sidecar?.stop();
    await store?.stop();
  });

  const keysBelow = async (Prefix: string): Promise<readonly string[]> => {
    const { Contents = [] } = await atStore.send(new ListObjectsV2Command({ Bucket: bucket, Prefix }));
    // PyArrow and S3A leave markers of folders.
    return Contents.map(({ Key = '' }) => Key).filter((key) => !key.endsWith('/'));
  };
  const uri = (key: string): string => `s3://${bucket}/${key}`;
  const sessionOf = (input: Partial<AssumeRoleCommandInput>): Promise<Required<SdkCredentials>> =>
    assume(sidecar.url, catalog, 'lakehouse', { ...input, ExternalId: 'lakehouse' });
  const table = async (input: object): Promise<TableReport> =>
    (await runPython('pyiceberg', 'pyiceberg_table.py', input)) as TableReport;
  const dataOf = ({ location }: TableReport): string => `${location.replace(uri(''), '')}/data/`;
  /** Who put objects below a location, as the log has it. */
  const writersBelow = (location: string): readonly string[] => [
    ...new Set(
      sidecar.logged
        .map((line): Readonly<Record<string, unknown>> => JSON.parse(line))
        .filter(({ operation }) => operation === 'PutObject' || operation === 'CompleteMultipartUpload')
        .filter(({ key }) => String(key).startsWith(location))
        .map(({ principal_arn }) => String(principal_arn).split('/').pop() ?? ''),
    ),
  ];

  /** The whole life of a table, which tries what is outside of it: another table, strangers, and new keys. */
  async function inCatalog(catalogUri: string, name: string): Promise<TableReport> {
    const properties = { type: 'rest', uri: catalogUri };
    const outside = [...archive.files, ...strangers.map(uri), uri(`${warehouse}/new`)];
    const lists = [archive.location, uri(warehouse), `s3://${bucket}`];
    const report = await table({ properties, table: name, outside, lists, end: 'drop' });
    expect(report).toMatchObject({ rows: 6, exists: false });
    expect(report.outside).toEqual(Object.fromEntries(outside.map((location) => [location, refused])));
    expect(report.listed).toEqual({
      [report.location]: 'allowed',
      ...Object.fromEntries(lists.map((location) => [location, 'denied'])),
    });
    expect(await keysBelow(dataOf(report))).toEqual([]);
    return report;
  }

  it(
    'pyiceberg keeps a table with the credentials that Nessie vends, and reaches nothing else',
    async () => {
      const report = await inCatalog(nessie.uri, 'sales.orders');
      expect(writersBelow(dataOf(report))).toEqual(['nessie']);
      ran.push([versionOf('pyiceberg'), `vended by ${versionOf('nessie')}`]);
    },
    timeout,
  );

  it.each(vending)(
    'pyiceberg keeps a table with what %s sends, and reaches nothing else',
    async (sender, request) => {
      const front = await startVendingCatalog(nessie.uri, (location) =>
        sessionOf(
          inputFor(request, {
            roleArn: roleArn('lakehouse'),
            bucket,
            location: location.replace(uri(''), ''),
          }),
        ),
      );
      try {
        const report = await inCatalog(front.uri, `vended.orders_${sender.replaceAll(/\W+/g, '_')}`);
        expect(writersBelow(dataOf(report))).toEqual([request.input.RoleSessionName]);
        ran.push([versionOf('pyiceberg'), `as ${sender} asks for them`]);
      } finally {
        await front.stop();
      }
    },
    timeout,
  );

  it(
    'pyiceberg keeps a table in the location of a session, with a SQL catalog of its own',
    async () => {
      const location = `${warehouse}/sql`;
      const session = await sessionOf({
        RoleSessionName: 'pyiceberg',
        Policy: page.enginePolicy(location),
      });
      const properties = {
        type: 'sql',
        uri: 'sqlite:///:memory:',
        warehouse: uri(location),
        's3.endpoint': sidecar.url,
        's3.region': 'us-east-1',
        's3.access-key-id': session.accessKeyId,
        's3.secret-access-key': session.secretAccessKey,
        's3.session-token': session.sessionToken,
      };
      const outside = [...archive.files, ...strangers.map(uri)];
      const elsewhere = uri(`${location}_archive`);
      const report = await table({ properties, table: 'sales.orders', outside, elsewhere, end: 'purge' });
      expect(report).toMatchObject({ rows: 6, exists: false, elsewhere: 'denied' });
      expect(report.outside).toEqual(Object.fromEntries(outside.map((one) => [one, refused])));
      expect(await keysBelow(`${location}/`)).toEqual([]);
      expect(await keysBelow(`${location}_archive`)).toEqual([]);
      ran.push([`${versionOf('pyiceberg')}, SQL catalog`, 'a session for one location']);
    },
    timeout,
  );

  it(
    'Spark keeps tables with the credentials that Nessie vends, and with S3A in the location of a session',
    async () => {
      const location = `${warehouse}/s3a`;
      const session = await sessionOf({ RoleSessionName: 'spark', Policy: page.enginePolicy(location) });
      const jars = join(cachedFolder('spark'), 'jars');
      const hadoop = (key: string): string => `s3a://${bucket}/${key}`;
      const outside = [...archive.files, ...strangers.map(uri)];
      const report = await runPython('spark', 'spark_tables.py', {
        jars: (await readdir(jars)).map((jar) => join(jars, jar)),
        scratch: tmpdir(),
        uri: nessie.uri,
        outside,
        s3a: {
          ...{ ...session, endpoint: sidecar.url, location: hadoop(location) },
          ...{ elsewhere: hadoop(`${location}_archive`), stranger: hadoop(strangers[0] ?? '') },
        },
      });
      expect(report).toMatchObject({
        vended: {
          rows: [[2, 'b']],
          exists: false,
          outside: Object.fromEntries(outside.map((one) => [one, refused])),
        },
        files: {
          rows: [
            [1, 'a'],
            [2, 'b'],
            [3, 'c'],
          ],
          plain: [[1, 'a']],
        },
        elsewhere: { create: 'denied', read: 'denied', write: 'denied' },
      });
      expect(await keysBelow(`${location}/warehouse/sales/events`)).toEqual([]);
      expect(await keysBelow(`${location}_archive`)).toEqual([]);
      expect(writersBelow(`${location}/`)).toEqual(['spark']);
      const engine = versionOf('spark');
      ran.push([`${engine}, S3FileIO`, `vended by ${versionOf('nessie')}`]);
      ran.push([`${engine}, S3A`, 'a session for one location']);
    },
    timeout,
  );

  it('nothing outside was touched', async () => {
    expect((await keysBelow(dataOf(archive))).map(uri)).toEqual(
      archive.files.filter((file) => file.endsWith('.parquet')).sort(),
    );
    for (const key of strangers) expect(await keysBelow(key)).toEqual([key]);
    expect(await keysBelow(`${warehouse}/new`)).toEqual([]);
  });

  it('the page on compatibility says what ran', () => {
    process.stdout.write(`\n${product}\n\n${ran.map((row) => `| ${row.join(' | ')} | ✓ |`).join('\n')}\n`);
    const column = products.findIndex((one) => one.product === product) + 2;
    const said = rowsAfter(compatibility, tableHead).filter((row) => row[column] === '✓');
    expect(ran).toEqual(said.map((row) => row.slice(0, 2)));
  });
});

/** A component of the cache with its version, as `pyiceberg 0.12.0`. */
function versionOf(component: CachedComponent): string {
  const [name = '', ...versions] = basename(cachedFolder(component)).split('-');
  const [engine, iceberg] = versions;
  return iceberg === undefined ? `${name} ${engine}` : `${name} ${engine} with Iceberg ${iceberg}`;
}
