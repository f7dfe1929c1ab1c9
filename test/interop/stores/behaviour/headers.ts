import type { Answered, SignedCaller } from './signed-caller.ts';

/** The bucket of these rows; it has object lock. */
const headersBucket = 'headers';

interface HeaderCase {
  /** As the table shows it. */
  readonly header: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the object has what the header says. */
  readonly isKept: (
    head: Answered['headers'],
    read: (subresource: string) => Promise<string>,
  ) => Promise<boolean>;
}

const shows =
  (name: string, value: string): HeaderCase['isKept'] =>
  (head) =>
    Promise.resolve(head[name] === value);

/** Headers of a new object that policies can demand, by their context keys. */
const headerCases: readonly HeaderCase[] = [
  {
    header: '`x-amz-acl`',
    headers: { 'x-amz-acl': 'public-read' },
    isKept: async (_, read) => (await read('acl')).includes('groups/global/AllUsers'),
  },
  {
    header: '`x-amz-grant-read`',
    headers: { 'x-amz-grant-read': 'uri="http://acs.amazonaws.com/groups/global/AllUsers"' },
    isKept: async (_, read) => (await read('acl')).includes('groups/global/AllUsers'),
  },
  {
    header: '`x-amz-storage-class`',
    headers: { 'x-amz-storage-class': 'STANDARD_IA' },
    isKept: shows('x-amz-storage-class', 'STANDARD_IA'),
  },
  {
    header: '`x-amz-server-side-encryption`',
    headers: { 'x-amz-server-side-encryption': 'AES256' },
    isKept: shows('x-amz-server-side-encryption', 'AES256'),
  },
  {
    header: '`x-amz-tagging`',
    headers: { 'x-amz-tagging': 'class=new', 'x-amz-tagging-directive': 'REPLACE' },
    isKept: async (_, read) => (await read('tagging')).includes('<Key>class<'),
  },
  {
    header: '`x-amz-website-redirect-location`',
    headers: { 'x-amz-website-redirect-location': '/elsewhere' },
    isKept: shows('x-amz-website-redirect-location', '/elsewhere'),
  },
  {
    header: '`x-amz-object-lock-mode`',
    headers: {
      'x-amz-object-lock-mode': 'GOVERNANCE',
      'x-amz-object-lock-retain-until-date': '2037-01-01T00:00:00Z',
    },
    isKept: shows('x-amz-object-lock-mode', 'GOVERNANCE'),
  },
  {
    header: '`x-amz-object-lock-legal-hold`',
    headers: { 'x-amz-object-lock-legal-hold': 'ON' },
    isKept: shows('x-amz-object-lock-legal-hold', 'ON'),
  },
];

type Make = (caller: SignedCaller, path: string, headers: HeaderCase['headers']) => Promise<boolean>;

const put: Make = async (caller, path, headers) => {
  const { 'x-amz-tagging-directive': _, ...own } = headers;
  return (await caller.send({ method: 'PUT', path, headers: own, body: 'x' })).status === 200;
};

const copy: Make = async (caller, path, headers) => {
  await caller.must({ method: 'PUT', path: `${path}-source`, body: 'x' });
  const source = { 'x-amz-copy-source': `${path}-source` };
  return (await caller.send({ method: 'PUT', path, headers: { ...source, ...headers } })).status === 200;
};

const upload: Make = async (caller, path, headers) => {
  const { 'x-amz-tagging-directive': _, ...own } = headers;
  const started = await caller.send({ method: 'POST', path, query: { uploads: '' }, headers: own });
  const uploadId = /<UploadId>([^<]+)</.exec(started.text)?.[1];
  if (uploadId === undefined) return false;
  const part = await caller.must({ method: 'PUT', path, query: { partNumber: '1', uploadId }, body: 'x' });
  const etag = String(part.headers['etag']);
  const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
  return (await caller.send({ method: 'POST', path, query: { uploadId }, body })).status === 200;
};

const makers: readonly (readonly [operation: string, make: Make])[] = [
  ['PutObject', put],
  ['CopyObject', copy],
  ['CreateMultipartUpload', upload],
];

/** What the store makes of each header, operation by operation: rows of a table. */
export async function describeHeaders(caller: SignedCaller): Promise<readonly string[]> {
  const lock = { 'x-amz-bucket-object-lock-enabled': 'true' };
  await caller.must({ method: 'PUT', path: `/${headersBucket}`, headers: lock });
  const rows: string[] = [];
  for (const [index, one] of headerCases.entries()) {
    const cells: string[] = [];
    for (const [operation, make] of makers) {
      cells.push(await outcomeOf(caller, `/${headersBucket}/${operation}${index}`, make, one));
    }
    rows.push(`| ${one.header} | ${cells.join(' | ')} |`);
  }
  return rows;
}

/** The head of the table. */
export const headersHead: string = `| header | ${makers.map(([operation]) => operation).join(' | ')} |`;

async function outcomeOf(
  caller: SignedCaller,
  path: string,
  make: Make,
  { headers, isKept }: HeaderCase,
): Promise<string> {
  if (!(await make(caller, path, headers))) return 'refuses';
  const { headers: head } = await caller.must({ method: 'HEAD', path });
  const read = async (name: string): Promise<string> =>
    (await caller.send({ method: 'GET', path, query: { [name]: '' } })).text;
  return (await isKept(head, read)) ? 'obeys' : 'ignores';
}
