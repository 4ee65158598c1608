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

  /** The headers above `number`. */
  above(number: number): readonly Head[] {
    return this.headers.filter((header) => header.number > number);
  }
}

export interface ExtendOptions {
  head: Head;
  /** Headers below this number are not looked at. */
  lowest: number;
  /** A header by its hash. Throws when the endpoint does not have it. */
  fetchByHash(hash: Hex, number: number): Promise<Head>;
  /** Headers by their numbers, which may be of any branch. */
  fetchByNumber(numbers: number[]): Promise<Head[]>;
}

/** A gap of more headers than this is fetched by number first: one round trip instead of one each. */
const longGap = 4;

/**
 * The view with `head` at its tip: parents are walked by hash from the head down to a header that the
 * old view has, or to `lowest`. `linked` tells whether it met the old view: if not, what lies below is
 * not known to be the same chain. A head that the view has already gives the same view.
 */
export async function extendView(
  view: CanonicalView,
  options: ExtendOptions,
): Promise<{ view: CanonicalView; linked: boolean }> {
  const { head, lowest } = options;
  if (view.hashAt(head.number) === head.hash) return { view, linked: true };
  const near = await prefetch(view, options);
  const path = [head];
  for (let child = head; ; ) {
    const parentNumber = child.number - 1;
    if (view.hashAt(parentNumber) === child.parentHash) {
      const kept = view.headers.filter(({ number }) => number <= parentNumber && number >= lowest);
      return { view: new CanonicalView([...kept, ...path.reverse()]), linked: true };
    }
    if (parentNumber < lowest || parentNumber < 0)
      return { view: new CanonicalView(path.reverse()), linked: false };
    const fetched = near.get(child.parentHash) ?? (await options.fetchByHash(child.parentHash, parentNumber));
    path.push(fetched);
    child = fetched;
  }
}

/** Headers of a long gap, by hash. What is of another branch is simply never asked for. */
async function prefetch(view: CanonicalView, options: ExtendOptions): Promise<Map<Hex, Head>> {
  const { head, lowest, fetchByNumber } = options;
  const from = Math.max(lowest, (view.tip?.number ?? -1) + 1);
  const numbers = Array.from({ length: Math.max(0, head.number - from) }, (_, i) => from + i);
  if (numbers.length <= longGap) return new Map();
  const headers = await fetchByNumber(numbers);
  return new Map(headers.map((header) => [header.hash, header]));
}
