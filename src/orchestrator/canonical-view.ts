import type { Hex } from "../block.js";
import type { Head } from "../chain/parse/parse-head.js";

/**
 * The newest part of the chain as the endpoints tell it: headers of which each is the parent of the
 * next. A view never changes; a new head gives another one.
 */
export class CanonicalView {
  /** In the order of their numbers, without a hole. */
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
    const tail = this.tail;
    return tail === undefined ? undefined : this.headers[number - tail.number]?.hash;
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
  /** A header by its hash. Throws when the endpoint does not have it. */
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
    const parentNumber = child.number - 1;
    if (view.hashAt(parentNumber) === child.parentHash) {
      const kept = view.headers.filter(({ number }) => number <= parentNumber);
      return { view: new CanonicalView([...kept, ...path.reverse()]), linked: true };
    }
    if (parentNumber < lowest || parentNumber < 0)
      return { view: new CanonicalView(path.reverse()), linked: false };
    child = await parentOf(child);
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
