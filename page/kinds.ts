import type { Part } from "../src/queue/read-strip.js";
import { count } from "../src/wording.js";

/** What a block may be, as it is drawn: from what matters most to what matters least. The colours are the style's. */
export const kinds = [
  { name: "failed", says: "failed" },
  { name: "processing", says: "in work" },
  { name: "queued", says: "queued" },
  { name: "scheduled", says: "scheduled" },
  { name: "ahead", says: "in a range" },
  { name: "cancelled", says: "cancelled" },
  { name: "stored", says: "stored" },
] as const satisfies readonly { name: keyof Part; says: string }[];

export type Kind = (typeof kinds)[number]["name"] | "none";

/** What a single block is; a block that is stored and asked for again is what was asked. */
export function kindOf(part: Part | null | undefined): Kind {
  if (part === null || part === undefined) return "none";
  return kinds.find(({ name }) => part[name] > 0)?.name ?? "none";
}

/** `stored 1,000, failed 3`. */
export function tellPart(part: Part | null | undefined, size: number): string {
  if (part === null || part === undefined) return "not asked for";
  const told = kinds.flatMap(({ name, says }) => {
    const blocks = part[name];
    if (blocks === 0) return [];
    if (size === 1) return [says];
    // These are counted up to a bound.
    const isBounded = blocks >= 100 && (name === "queued" || name === "failed" || name === "cancelled");
    return [`${says} ${isBounded && blocks < size ? "at least " : ""}${count(blocks)}`];
  });
  return told.length === 0 ? "not asked for" : told.join(", ");
}

export interface Slice {
  kind: Kind;
  /** The part of the height, 0 to 1. */
  share: number;
}

/** Failures are seen however few they are among however many. */
const leastShare = 0.14;

/** How a part of the strip is drawn, from the top down. */
export function slicesOf(part: Part | null | undefined, size: number): Slice[] {
  if (part === null || part === undefined) return [];
  const there = kinds.filter(({ name }) => part[name] > 0);
  const known = there.reduce((sum, { name }) => sum + part[name], 0);
  const isQueueFull = part.queued >= 100 && known < size;
  const raw = there.map(({ name }) => ({
    kind: name as Kind,
    blocks: name === "queued" && isQueueFull ? size - known + part.queued : part[name],
  }));
  const total = Math.max(
    size,
    raw.reduce((sum, { blocks }) => sum + blocks, 0),
  );
  const shares = raw.map(({ kind, blocks }) => ({
    kind,
    share: Math.max(kind === "stored" || kind === "ahead" ? 0 : leastShare, blocks / total),
  }));
  const over = shares.reduce((sum, { share }) => sum + share, 0) - 1;
  if (over <= 0) return shares;
  // What is most gives way.
  const most = shares.reduce((a, b) => (b.share > a.share ? b : a));
  return shares.map((each) =>
    each === most ? { ...each, share: Math.max(leastShare, each.share - over) } : each,
  );
}
