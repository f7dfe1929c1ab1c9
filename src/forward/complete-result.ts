import { escapeXml } from '../core/xml.ts';

/**
 * Rewrites the `<Location>` of a CompleteMultipartUpload answer to the address the client used. White space that
 * the store sends to keep the connection alive passes at once; the document itself is held until its end.
 */
export class CompleteResult {
  readonly #location: string;
  #held = '';

  /** @param location the object's URL as the client knows it. */
  constructor(location: string) {
    this.#location = location;
  }

  /** Takes a chunk and returns what can be sent already. */
  push(chunk: Buffer): Buffer {
    this.#held += chunk.toString('latin1');
    const preamble = /^(<\?xml[^>]*\?>)?\s*(?=[^\s<]|<[^?]|$)/.exec(this.#held)?.[0] ?? '';
    this.#held = this.#held.slice(preamble.length);
    return Buffer.from(preamble, 'latin1');
  }

  /** The rest of the document. */
  end(): Buffer {
    const location = Buffer.from(escapeXml(this.#location), 'utf8').toString('latin1');
    const rewritten = this.#held.replace(
      /<Location>[^<]*<\/Location>/,
      () => `<Location>${location}</Location>`,
    );
    return Buffer.from(rewritten, 'latin1');
  }
}
