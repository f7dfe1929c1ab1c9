import type { StepBudget } from './step-budget.ts';

/** Stands for any one code point in a run. */
export const anyPoint = -1;

/**
 * Where each character of one text stands, as sets of bits, so that a run of characters with gaps is looked for at 32
 * places at once ("bit-parallel" matching, Baeza-Yates and Gonnet, "A new approach to text searching", with the roles of
 * text and pattern exchanged). A set is made when a run first asks for its character. Places are code points.
 */
export class TextIndex {
  readonly text: string;
  readonly #points: readonly number[];
  /** The code unit at which each code point starts; `undefined` when every one is one code unit. */
  readonly #units: readonly number[] | undefined;
  readonly #places: Map<number, Int32Array> = new Map();

  constructor(text: string) {
    this.text = text;
    this.#points = Array.from(text, (character) => character.codePointAt(0) ?? 0);
    this.#units = this.#points.length === text.length ? undefined : startsOf(this.#points);
  }

  /**
   * The code unit at which the first occurrence of a run ends that does not start before the code unit `from`; −1 when
   * there is none. Takes run length × text length ÷ 32 steps.
   */
  findEnd(run: readonly number[], from: number, budget: StepBudget): number {
    const length = this.#points.length;
    if (this.#units !== undefined) budget.spend(length);
    const first = this.#units === undefined ? from : this.#units.indexOf(from);
    const last = length - run.length;
    if (first < 0 || first > last) return -1;
    const sets = this.#setsOf(run, budget);
    if (sets === undefined) return -1;
    const start = firstPlace(sets, first, last, budget);
    if (start < 0) return -1;
    const end = start + run.length;
    return this.#units === undefined ? end : (this.#units[end] ?? -1);
  }

  /** What each character of a run demands; `undefined` when the text lacks one. */
  #setsOf(run: readonly number[], budget: StepBudget): readonly Demand[] | undefined {
    const demands: Demand[] = [];
    for (let offset = 0; offset < run.length; offset += 1) {
      const point = run[offset] ?? anyPoint;
      if (point === anyPoint) continue;
      const places = this.#places.get(point) ?? this.#find(point, budget);
      if (places === none) return undefined;
      demands.push({ places, offset });
    }
    budget.spend(run.length);
    return demands;
  }

  #find(point: number, budget: StepBudget): Int32Array {
    const points = this.#points;
    budget.spend(points.length);
    let places = none;
    for (let at = points.indexOf(point); at >= 0; at = points.indexOf(point, at + 1)) {
      if (places === none) places = new Int32Array((points.length >>> 5) + 1);
      places[at >>> 5] = (places[at >>> 5] ?? 0) | (1 << (at & 31));
    }
    this.#places.set(point, places);
    return places;
  }
}

/** The places of a character, which must stand so far behind the start of a run. */
interface Demand {
  readonly places: Int32Array;
  readonly offset: number;
}

const none: Int32Array = new Int32Array(0);

/** The first start from `first` to `last` that every demand allows; −1 when there is none. */
function firstPlace(demands: readonly Demand[], first: number, last: number, budget: StepBudget): number {
  for (let word = first >>> 5; word <= last >>> 5; word += 1) {
    let starts = word === first >>> 5 ? -1 << (first & 31) : -1;
    let tested = 0;
    while (starts !== 0 && tested < demands.length) {
      const demand = demands[tested];
      if (demand !== undefined) starts &= wordBehind(demand, word);
      tested += 1;
    }
    budget.spend(tested + 1);
    if (starts === 0) continue;
    const start = word * 32 + (31 - Math.clz32(starts & -starts));
    return start <= last ? start : -1;
  }
  return -1;
}

/** The 32 places that lie `offset` behind those of a word. */
function wordBehind({ places, offset }: Demand, word: number): number {
  const at = word + (offset >>> 5);
  const shift = offset & 31;
  const low = places[at] ?? 0;
  return shift === 0 ? low : (low >>> shift) | ((places[at + 1] ?? 0) << (32 - shift));
}

function startsOf(points: readonly number[]): number[] {
  const starts = [0];
  let unit = 0;
  for (const point of points) {
    unit += point > 0xffff ? 2 : 1;
    starts.push(unit);
  }
  return starts;
}
