import { Session } from 'node:inspector';

/*
 * Counts what a piece of code does, without a clock: the blocks of JavaScript that it runs, and the characters and
 * elements that built-in methods look at, which coverage does not see. What an expression tries in vain inside one call is
 * not seen either: expressions over foreign text must not need to try.
 */
const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });

let scanned = 0;
let isCounting = false;

/** How many steps a run takes. */
export function countSteps(run: () => Promise<void>): Promise<number> {
  takeBlocks();
  return countNextSteps(run);
}

/**
 * How many steps a run takes, together with all that was done since the last count. Half as expensive as {@link countSteps}: each
 * look at the blocks takes milliseconds, and starts them from zero.
 */
export async function countNextSteps(run: () => Promise<void>): Promise<number> {
  scanned = 0;
  isCounting = true;
  try {
    await run();
  } finally {
    isCounting = false;
  }
  return takeBlocks() + scanned;
}

function takeBlocks(): number {
  let blocks = 0;
  session.post('Profiler.takePreciseCoverage', (error, coverage) => {
    if (error !== null) throw error;
    for (const { url, functions } of coverage.result) {
      if (!isCounted(url)) continue;
      for (const { ranges } of functions) for (const { count } of ranges) blocks += count;
    }
  });
  return blocks;
}

function isCounted(url: string): boolean {
  return url.includes('/src/') || /\/node_modules\/(?:@xmldom|jose|xml-crypto|xpath|yaml)\//.test(url);
}

type Method = (this: unknown, ...given: unknown[]) => unknown;

/** Makes a built-in method report how much it looked at. */
function watch(
  prototype: object,
  name: PropertyKey,
  cost: (self: unknown, result: unknown, given: readonly unknown[]) => number,
): void {
  const original = Reflect.get(prototype, name) as Method;
  Object.defineProperty(prototype, name, {
    configurable: true,
    writable: true,
    value: function watched(this: unknown, ...given: unknown[]): unknown {
      const result = original.apply(this, given);
      if (isCounting) scanned += cost(this, result, given);
      return result;
    },
  });
}

const length = (value: unknown): number => (value as { readonly length: number }).length;

/** From the start of a search to the end of what it found, or to the end of the text. */
function searched(self: unknown, result: unknown, [wanted, from]: readonly unknown[]): number {
  const start = typeof from === 'number' ? from : 0;
  return result === -1 ? length(self) - start : Number(result) - start + String(wanted).length;
}

watch(String.prototype, 'indexOf', searched);
watch(String.prototype, 'startsWith', (_self, _result, [wanted]) => String(wanted).length);
for (const name of ['includes', 'lastIndexOf', 'replaceAll', 'split', 'toLowerCase', 'toUpperCase', 'trim']) {
  watch(String.prototype, name, length);
}
for (const name of ['indexOf', 'includes', 'join', 'slice', 'concat', 'splice', 'shift', 'unshift']) {
  watch(Array.prototype, name, length);
}

const { exec } = RegExp.prototype;
// `test`, `match`, `replace` and `split` with an expression all come here.
RegExp.prototype.exec = function watched(this: RegExp, text: string): RegExpExecArray | null {
  const start = this.global || this.sticky ? this.lastIndex : 0;
  const found = exec.call(this, text);
  if (isCounting) {
    if (found !== null) scanned += found.index - start + found[0].length + 1;
    else scanned += this.sticky ? 1 : String(text).length - start;
  }
  return found;
};
