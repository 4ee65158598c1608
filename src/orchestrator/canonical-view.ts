import type { Hex } from "../block.js";
import type { Head } from "../chain/parse/parse-head.js";

/**
 * The newest part of the chain as the endpoints tell it: headers of which each is the parent of the
 * next. A view never changes; a new head gives another one.
 */
export class CanonicalView {
  /** In the order of their numbers. At a number between two of them the chain has no block, which only happens on some. */
  readonly headers: readonly Head[];

  constructor(headers: readonly Head[] = []) {
    this.headers = headers;
  }

  get tip(): Head | undefined {
    return this.headers.at(-1);
  }

  get tail(): Head | undefined {
    return this.headers[0];
  }

  hashAt(number: number): Hex | undefined {
    const { headers, tail } = this;
    if (tail === undefined) return undefined;
    // Without a number that is left out it is the first one that is looked at.
    for (let i = Math.min(number - tail.number, headers.length - 1); i >= 0; i -= 1) {
      const header = headers[i];
      if (header === undefined || header.number < number) return undefined;
      if (header.number === number) return header.hash;
    }
    return undefined;
  }

  /** Whether the chain has no block at a number: those around it are linked. */
  isAbsent(number: number): boolean {
    const { tail, tip } = this;
    if (tail === undefined || tip === undefined || number <= tail.number || number >= tip.number)
      return false;
    return this.hashAt(number) === undefined;
  }

  /** The parent of a header, if the view has it. `skips`: it may be more than one below. */
  parentOf({ number, parentHash }: Head, { skips = false }: { skips?: boolean }): Head | undefined {
    return this.headers.findLast(
      (each) => each.hash === parentHash && (skips ? each.number < number : each.number === number - 1),
    );
  }

  /** The view without the headers below `number`. */
  from(number: number): CanonicalView {
    return new CanonicalView(this.headers.filter((header) => header.number >= number));
  }

  /** The headers above `number`. */
  above(number: number): readonly Head[] {
    return this.headers.filter((header) => header.number > number);
  }
}

export interface ExtendOptions {
  head: Head;
  /** Headers below this number are not fetched. */
  lowest: number;
  /** Whether the chain may have no block at a number. */
  skips?: boolean;
  /** A header by its hash, at the number, or, where the chain skips some, below. Throws when the endpoint does not have it. */
  fetchByHash(hash: Hex, number: number): Promise<Head>;
  /** Headers by their numbers, which may be of any branch. */
  fetchByNumber(numbers: number[]): Promise<Head[]>;
}

/** So many parents are asked for one by one; of more, several are read ahead by their numbers. */
const fewSteps = 4;
const firstAhead = 8;

/**
 * The view with `head` at its tip: parents are walked by hash from the head down to a header that the
 * old view has, or to `lowest`. `linked` tells whether it met the old view, and holds its headers further
 * down as well: if not, what lies below is not known to be the same chain. A head that the view has already gives the same view.
 */
export async function extendView(
  view: CanonicalView,
  options: ExtendOptions,
): Promise<{ view: CanonicalView; linked: boolean }> {
  const { head, lowest } = options;
  if (view.hashAt(head.number) === head.hash) return { view, linked: true };
  const parentOf = createWalk(view, options);
  const path = [head];
  for (let child = head; ; ) {
    const known = view.parentOf(child, options);
    if (known !== undefined) {
      const kept = view.headers.filter(({ number }) => number <= known.number);
      return { view: new CanonicalView([...kept, ...path.reverse()]), linked: true };
    }
    const parent = child.number > lowest && child.number > 0 ? await parentOf(child) : undefined;
    if (parent === undefined || parent.number < lowest)
      return { view: new CanonicalView(path.reverse()), linked: false };
    child = parent;
    path.push(child);
  }
}

/**
 * Fetches one parent after the other. A long way is read ahead by number, so that it takes few round
 * trips; what is of another branch among it is simply never asked for.
 */
function createWalk(view: CanonicalView, { head, lowest, ...from }: ExtendOptions) {
  const read = new Map<Hex, Head>();
  const gap = head.number - Math.max(lowest, (view.tip?.number ?? -1) + 1);
  let ahead = gap > fewSteps ? gap : firstAhead;
  let next = gap > fewSteps ? head.number - 1 : head.number - 1 - fewSteps;

  return async ({ number, parentHash }: Head): Promise<Head> => {
    const parentNumber = number - 1;
    if (parentNumber <= next && !read.has(parentHash)) {
      const first = Math.max(lowest, 0, parentNumber - ahead + 1);
      const numbers = Array.from({ length: parentNumber - first + 1 }, (_, i) => first + i);
      for (const header of await from.fetchByNumber(numbers)) read.set(header.hash, header);
      next = first - 1;
      ahead *= 2;
    }
    return read.get(parentHash) ?? from.fetchByHash(parentHash, parentNumber);
  };
}
