import type { StepBudget } from './step-budget.ts';

/**
 * Where each character of one text stands, as sets of bits, so that a run of characters with gaps is looked for at 32
 * places at once ("bit-parallel" matching, Baeza-Yates and Gonnet, "A new approach to text searching", with the roles of
 * text and pattern exchanged). A set is made when a run first asks for its character, and kept for the runs after it: there
 * are as many as patterns, or the values that requests put into them, have characters, so their memory is bounded. Places
 * are code points.
 */
export class TextIndex {
  /** Steps that making an index of an empty text takes. */
  static readonly stepsToBuild = 40;

  readonly text: string;
  /** The code points; `undefined` when every one is one code unit. */
  readonly #points: Int32Array | undefined;
  /** The code unit at which each code point starts, and the length of the text. */
  readonly #units: Int32Array | undefined;
  readonly #places: Map<number, Int32Array> = new Map();
  /** Size of `#places`, in words of a set. */
  #keptWords = 0;

  constructor(text: string) {
    this.text = text;
    if (!hasSurrogates(text)) return;
    const points = new Int32Array(text.length);
    const units = new Int32Array(text.length + 1);
    let count = 0;
    for (let unit = 0; unit < text.length; count += 1) {
      const point = text.codePointAt(unit) ?? 0;
      points[count] = point;
      units[count] = unit;
      unit += widthOf(point);
    }
    units[count] = text.length;
    this.#points = points.subarray(0, count);
    this.#units = units.subarray(0, count + 1);
  }

  /**
   * The code unit at which the first occurrence of a run ends that does not start before the code unit `from`; −1 when
   * there is none. Takes run length × text length ÷ 32 steps.
   * @param run texts, and numbers of code points of any kind.
   */
  findEnd(run: readonly (string | number)[], from: number, budget: StepBudget): number {
    const units = this.#units;
    const length = this.#points?.length ?? this.text.length;
    const first = units === undefined ? from : positionOf(from, units);
    const points = this.#demand(run, length - first, budget);
    if (points < 0) return -1;
    const start = firstPlace(first, length - points, budget);
    if (start < 0) return -1;
    const end = start + points;
    return units === undefined ? end : (units[end] ?? -1);
  }

  /** Notes what each character of a run demands. Returns its length in code points; −1 when it cannot be found. */
  #demand(run: readonly (string | number)[], most: number, budget: StepBudget): number {
    demandCount = 0;
    let offset = 0;
    for (const piece of run) {
      if (typeof piece === 'number') {
        offset += piece;
        continue;
      }
      for (let unit = 0; unit < piece.length && offset <= most; offset += 1) {
        const point = piece.codePointAt(unit) ?? 0;
        unit += widthOf(point);
        const places = this.#places.get(point) ?? this.#find(point, budget);
        if (places === none) offset = most;
        demandedPlaces[demandCount] = places;
        demandedOffsets[demandCount] = offset;
        demandCount += 1;
      }
      if (offset > most) break;
    }
    budget.spend(stepsPerRun + run.length * stepsPerPiece + demandCount * stepsPerDemand);
    return offset > most ? -1 : offset;
  }

  #find(point: number, budget: StepBudget): Int32Array {
    const text = this.text;
    const points = this.#points;
    const length = points?.length ?? text.length;
    // Comparing with one character takes a quarter of a step.
    budget.spend(stepsPerSet + (length >>> 2));
    let places = none;
    for (let at = 0; at < length; at += 1) {
      if ((points === undefined ? text.charCodeAt(at) : points[at]) !== point) continue;
      if (places === none) places = new Int32Array((length >>> 5) + 1);
      places[at >>> 5] = (places[at >>> 5] ?? 0) | (1 << (at & 31));
    }
    const words = wordsPerSet + places.length;
    this.#keptWords += words;
    if (this.#keptWords > maxKeptWords) {
      this.#places.clear();
      this.#keptWords = words;
    }
    this.#places.set(point, places);
    return places;
  }
}

/** Cost of looking for a run, in comparisons. */
const stepsPerRun = 12;

/** Cost of each of its pieces. */
const stepsPerPiece = 2;

/** Cost of each of its characters. */
const stepsPerDemand = 4;

/** Cost of making a set of places. */
const stepsPerSet = 40;

/** About what keeping a set takes besides its words; of a character that the text does not have, it is all. */
const wordsPerSet = 16;

/** A megabyte: more than the sets that the policies of one decision ask for usually take. */
const maxKeptWords = 256 * 1024;

const none: Int32Array = new Int32Array(0);

/*
 * What the characters of the run that is looked for demand: their places, which must lie so far behind the start of the
 * run. Shared by all searches, which never overlap: making a list for each would take longer than most searches.
 */
const demandedPlaces: Int32Array[] = [];
const demandedOffsets: number[] = [];
let demandCount = 0;

/** The first start from `first` to `last` that every demand allows; −1 when there is none. */
function firstPlace(first: number, last: number, budget: StepBudget): number {
  let steps = 0;
  let found = -1;
  for (let word = first >>> 5; word <= last >>> 5; word += 1) {
    let starts = word === first >>> 5 ? -1 << (first & 31) : -1;
    let tested = 0;
    while (starts !== 0 && tested < demandCount) {
      starts &= wordBehind(demandedPlaces[tested] ?? none, demandedOffsets[tested] ?? 0, word);
      tested += 1;
    }
    steps += tested + 1;
    if (starts === 0) continue;
    const start = word * 32 + (31 - Math.clz32(starts & -starts));
    if (start <= last) found = start;
    break;
  }
  budget.spend(steps);
  return found;
}

/** The 32 places that lie `offset` behind those of a word. */
function wordBehind(places: Int32Array, offset: number, word: number): number {
  const at = word + (offset >>> 5);
  const shift = offset & 31;
  const low = places[at] ?? 0;
  return shift === 0 ? low : (low >>> shift) | ((places[at + 1] ?? 0) << (32 - shift));
}

/** The position of a number in an ascending list. */
function positionOf(wanted: number, ascending: Int32Array): number {
  let [low, high] = [0, ascending.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

function hasSurrogates(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if ((text.charCodeAt(index) & 0xf800) === 0xd800) return true;
  }
  return false;
}

function widthOf(point: number): number {
  return point > 0xffff ? 2 : 1;
}
