import type { Socket } from 'node:net';

/** What Node's HTTP server hangs on a connection; not documented, the same in Node 20 to 24. */
interface ParsedSocket {
  readonly parser?: Parser | null;
}

type Callback = ((...values: unknown[]) => unknown) | null;

interface Parser {
  /** Under which indices the parser finds its callbacks. */
  readonly constructor: { readonly kOnMessageBegin?: number; readonly kOnExecute?: number };
  /** Fields of a head or of trailers that has not ended. */
  _headers?: string[];
  [callback: number]: Callback | undefined;
}

/** What the HTTP parser of a connection does. */
export interface ParserEvents {
  /** The first byte of a head has come. */
  readonly onHeadBegins: () => void;
  /** The bytes of one read have been parsed. */
  readonly onReadParsed: () => void;
}

/**
 * Watches the HTTP parser of a connection. Node's server reads without `data` events; a listener for those would make it
 * copy all bytes of every upload.
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

/** Lets go of the fields of an unfinished head at once: the parser is freed only when the event loop comes round. */
export function forgetHead(socket: Socket): void {
  const { parser } = socket as ParsedSocket;
  if (parser) parser._headers = [];
}
