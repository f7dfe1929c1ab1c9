import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  GetObjectTaggingCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';

const buckets = ['lake', 'results'] as const;

/** The objects that the page lists: bucket, key, `class`. */
const objects = [
  ['lake', 'team/red/report.csv', 'internal'],
  ['lake', 'team/red/salaries.csv', 'restricted'],
  ['lake', 'team/blue/events.csv', 'internal'],
  ['lake', 'team/blue/costs.csv', 'restricted'],
  ['lake', 'shared/calendar.csv', 'public'],
  ['lake', 'raw/dump.csv', undefined],
  ['results', 'blue/summary.csv', undefined],
] as const;

/** The two buckets of the page in a real store, seen and filled around the sidecar. */
export class Lake {
  readonly #store: S3Client;
  #filled = '';
  #oldVersion = '';
  /** Of `lake/team/blue/large`; empty until {@link startUpload}. */
  uploadId = '';

  constructor(store: S3Client) {
    this.#store = store;
  }

  /** The version of `lake/team/blue/events.csv` that is not the current one. */
  get oldVersion(): string {
    return this.#oldVersion;
  }

  async create(): Promise<void> {
    for (const Bucket of buckets) await this.#store.send(new CreateBucketCommand({ Bucket }));
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await this.#store.send(new PutBucketVersioningCommand({ Bucket: 'lake', VersioningConfiguration }));
    await this.#fill();
  }

  /** Restores whatever has changed. */
  async restore(): Promise<void> {
    this.uploadId = '';
    if ((await this.snapshot()) === this.#filled) return;
    for (const bucket of buckets) await this.#empty(bucket);
    await this.#fill();
  }

  async startUpload(): Promise<void> {
    const upload = new CreateMultipartUploadCommand({ Bucket: 'lake', Key: 'team/blue/large' });
    this.uploadId = (await this.#store.send(upload)).UploadId ?? '';
  }

  /** Everything that an operation of the table could change, as text. */
  async snapshot(): Promise<string> {
    const { Buckets } = await this.#store.send(new ListBucketsCommand({}));
    const lines = [`buckets ${Buckets?.map(({ Name }) => Name).join()}`];
    for (const bucket of buckets) lines.push(...(await this.#contentOf(bucket)));
    return lines.join('\n');
  }

  async #contentOf(Bucket: string): Promise<string[]> {
    const { Status } = await this.#store.send(new GetBucketVersioningCommand({ Bucket }));
    const { Versions, DeleteMarkers } = await this.#store.send(new ListObjectVersionsCommand({ Bucket }));
    const { Uploads } = await this.#store.send(new ListMultipartUploadsCommand({ Bucket }));
    const lines = [`${Bucket} versioning ${Status}`];
    for (const { Key, VersionId, IsLatest, ETag, LastModified } of Versions ?? []) {
      const tags = IsLatest === true ? await this.#tagsOf(Bucket, Key) : '';
      lines.push(`${Bucket}/${Key} ${VersionId} ${IsLatest} ${ETag} ${LastModified?.toISOString()} ${tags}`);
    }
    for (const { Key, VersionId } of DeleteMarkers ?? []) lines.push(`${Bucket}/${Key} ${VersionId} deleted`);
    for (const { Key, UploadId } of Uploads ?? []) lines.push(`${Bucket}/${Key} upload ${UploadId}`);
    return lines;
  }

  async #tagsOf(Bucket: string, Key: string | undefined): Promise<string> {
    const { TagSet } = await this.#store.send(new GetObjectTaggingCommand({ Bucket, Key }));
    return (TagSet ?? []).map(({ Key: name, Value }) => `${name}=${Value}`).join('&');
  }

  async #fill(): Promise<void> {
    const events = { Bucket: 'lake', Key: 'team/blue/events.csv' };
    const old = await this.#store.send(new PutObjectCommand({ ...events, Body: 'old events' }));
    this.#oldVersion = old.VersionId ?? '';
    for (const [Bucket, Key, tag] of objects) {
      const Tagging = tag === undefined ? undefined : `class=${tag}`;
      await this.#store.send(new PutObjectCommand({ Bucket, Key, Body: `content of ${Key}`, Tagging }));
    }
    this.#filled = await this.snapshot();
  }

  async #empty(Bucket: string): Promise<void> {
    const { Versions, DeleteMarkers } = await this.#store.send(new ListObjectVersionsCommand({ Bucket }));
    for (const { Key, VersionId } of [...(DeleteMarkers ?? []), ...(Versions ?? [])])
      await this.#store.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
    const { Uploads } = await this.#store.send(new ListMultipartUploadsCommand({ Bucket }));
    for (const { Key, UploadId } of Uploads ?? [])
      await this.#store.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  }
}
