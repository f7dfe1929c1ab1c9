import type { Socket } from 'node:net';

/** Node's HTTP server sets this on each connection. Not documented; the same in Node 20 to 24. */
interface ParsedSocket {
  readonly parser?: Parser | null;
}

type Callback = ((...values: unknown[]) => unknown) | null;

interface Parser {
  /** The indices of the parser's callbacks. */
  readonly constructor: { readonly kOnMessageBegin?: number; readonly kOnExecute?: number };
  /** Fields of unfinished heads and trailers. */
  _headers?: string[];
  [callback: number]: Callback | undefined;
}

/** Events of the HTTP parser of a connection. */
export interface ParserEvents {
  /** The first byte of a head has arrived. */
  readonly onHeadBegins: () => void;
  /** The bytes of one read have been parsed. */
  readonly onReadParsed: () => void;
}

/**
 * Watches the HTTP parser of a connection. Not with a `data` listener: it would make Node's server copy all bytes of every
 * upload.
 */
export function watchParser(socket: Socket, { onHeadBegins, onReadParsed }: ParserEvents): void {
  const { parser } = socket as ParsedSocket;
  if (!parser) return;
  const { kOnMessageBegin, kOnExecute } = parser.constructor;
  append(parser, kOnMessageBegin, onHeadBegins);
  append(parser, kOnExecute, onReadParsed);
}

function append(parser: Parser, index: number | undefined, listener: () => void): void {
  if (index === undefined) return;
  const before = parser[index];
  parser[index] = (...values) => {
    before?.(...values);
    listener();
  };
}

/** Frees the fields of an unfinished head at once. Node frees the parser only after all pending reads. */
export function forgetHead(socket: Socket): void {
  const { parser } = socket as ParsedSocket;
  if (parser) parser._headers = [];
}
