import type { ReadingContext } from './reading.ts';

/** An environment variable that is set. */
interface Variable {
  readonly name: string;
  readonly value: string;
}

const maxFileBytes = 1024 * 1024;

/** Reads environment variables in the forms of the OpenTelemetry specification. No message shows a value. */
export class OtelVariables {
  readonly #context: ReadingContext;

  constructor(context: ReadingContext) {
    this.#context = context;
  }

  /** An empty variable counts as unset. */
  get(name: string): Variable | undefined {
    const value = this.#context.sources.telemetry?.(name)?.trim();
    return value === undefined || value === '' ? undefined : { name, value };
  }

  /** A setting of the exporter of traces, else of all exporters. */
  ofTraces(name: string): Variable | undefined {
    return this.get(`OTEL_EXPORTER_OTLP_TRACES_${name}`) ?? this.get(`OTEL_EXPORTER_OTLP_${name}`);
  }

  /** The text of the file that a setting of the exporter names; `undefined` without one. */
  file(name: string): string | undefined {
    const variable = this.ofTraces(name);
    if (variable === undefined) return undefined;
    const file = this.#context.sources.readText(variable.value, maxFileBytes);
    if (file.ok) return file.text;
    this.problem(variable, `names a file that ${file.reason}`);
    return undefined;
  }

  /** A list `name=value,name=value`, percent-encoded. */
  pairs(
    name: string,
    isName: (name: string) => boolean,
    isValue: (value: string) => boolean = () => true,
  ): Readonly<Record<string, string>> {
    const variable = this.get(name);
    if (variable === undefined) return {};
    const pairs: [name: string, value: string][] = [];
    for (const piece of variable.value.split(',')) {
      if (piece.trim() === '') continue;
      const [, sent = '', encoded = ''] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/s.exec(piece) ?? [];
      const value = decoded(encoded);
      if (!isName(sent) || value === undefined || !isValue(value)) {
        this.problem(variable, 'must be a list of name=value, with commas between them, percent-encoded');
        return {};
      }
      pairs.push([sent, value]);
    }
    return Object.fromEntries(pairs);
  }

  problem({ name }: Variable, message: string): void {
    this.#context.problems.add({ source: name, path: '' }, message);
  }

  warn({ name }: Variable, message: string): void {
    this.#context.warnings.add({ source: name, path: '' }, message);
  }
}

// Headers take no control characters.
function decoded(text: string): string | undefined {
  try {
    const value = decodeURIComponent(text);
    return /^[\x20-\x7e\u00a0-\uffff]*$/.test(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
