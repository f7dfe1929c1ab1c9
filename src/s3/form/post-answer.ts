import { uriEncode } from '../../core/uri-encode.ts';
import { writeXml } from '../../core/xml.ts';

/** What a client gets once its file is stored. */
export interface PostAnswer {
  readonly status: number;
  /** Flat: name, value, name, value. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** What a form was about. */
export interface PostedObject {
  /** By lower-case name. */
  readonly fields: ReadonlyMap<string, string>;
  readonly bucket: string;
  readonly key: string;
  /** The object's URL, as the client would spell it. */
  readonly url: string;
}

const nothing = Buffer.alloc(0);

/**
 * The answer that a form asks for: a redirect (303), 200, 201 with a document, or else 204. A redirect that is no URL is ignored,
 * as AWS does. Source: AWS "POST Object".
 * @param etag of the new object, with its quotation marks
 */
export function postAnswer({ fields, bucket, key, url }: PostedObject, etag: string): PostAnswer {
  const redirect = redirectOf(fields);
  if (redirect !== undefined) {
    const query = Object.entries({ bucket, key, etag }).map(([name, value]) => `${name}=${uriEncode(value)}`);
    redirect.search = [redirect.search.slice(1), ...query].filter((piece) => piece !== '').join('&');
    return { status: 303, headers: ['location', redirect.href], body: nothing };
  }
  const headers = ['location', url];
  const status = fields.get('success_action_status');
  if (status === '201') {
    const document = writeXml('PostResponse', { Location: url, Bucket: bucket, Key: key, ETag: etag });
    const body = Buffer.from(document);
    return { status: 201, headers: [...headers, 'content-type', 'application/xml'], body };
  }
  return { status: status === '200' ? 200 : 204, headers, body: nothing };
}

function redirectOf(fields: ReadonlyMap<string, string>): URL | undefined {
  const text = fields.get('success_action_redirect') ?? fields.get('redirect') ?? '';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url : undefined;
}
