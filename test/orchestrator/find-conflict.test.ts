import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hex } from "../../src/block.js";
import type { Head } from "../../src/chain/parse/parse-head.js";
import { CanonicalView } from "../../src/orchestrator/canonical-view.js";
import { findConflict } from "../../src/orchestrator/find-conflict.js";
import type { KnownBlocks } from "../../src/orchestrator/known-blocks.js";

const hashOf = (branch: string, number: number): Hex =>
  `0x${Buffer.from(`${branch}${number}`).toString("hex").padStart(64, "0")}`;

/** The headers of a branch. */
function view(branch: string, from: number, to: number): CanonicalView {
  return new CanonicalView(
    Array.from({ length: to - from + 1 }, (_, i): Head => {
      const number = from + i;
      return {
        number,
        hash: hashOf(branch, number),
        parentHash: hashOf(branch, number - 1),
        timestamp: number,
      };
    }),
  );
}

const known = (blocks: Partial<KnownBlocks>): KnownBlocks => ({
  claimed: [],
  suspended: [],
  absent: [],
  wanted: [],
  stored: [],
  doubts: [],
  ...blocks,
});
const of = (branch: string, ...numbers: number[]) =>
  numbers.map((number): [number, Hex] => [number, hashOf(branch, number)]);
const none = new CanonicalView();

test("what is stored of the view's own branch is no conflict", () => {
  assert.equal(findConflict(known({ stored: of("a", 5, 6, 7) }), view("a", 5, 8), none), null);
});

test("the lowest block of another branch is where they part, whether it is stored or asked for", () => {
  const conflict = findConflict(
    known({ stored: of("a", 5, 6), wanted: of("a", 7, 8, 9) }),
    new CanonicalView([...view("a", 4, 5).headers, ...view("b", 6, 8).headers]),
    none,
  );
  assert(conflict !== null);
  assert.deepEqual([conflict.block, conflict.hash, conflict.oldHead], [6, hashOf("a", 6), 9]);
  assert.deepEqual(
    conflict.branch.map(({ hash }) => hash),
    [6, 7, 8].map((number) => hashOf("b", number)),
  );
});

test("a block that is being fetched by its number is taken for what the view before had there", () => {
  const claimed = known({ claimed: [6] });
  const conflict = findConflict(claimed, view("b", 6, 8), view("a", 6, 7));
  assert.deepEqual([conflict?.block, conflict?.hash], [6, hashOf("a", 6)]);
  assert.equal(findConflict(claimed, view("b", 6, 8), none), null, "nothing is known of it");
});

test("what the left branch had above a new, lower tip goes as well", () => {
  const conflict = findConflict(known({ stored: of("a", 8) }), view("b", 5, 6), view("a", 5, 8));
  assert.deepEqual([conflict?.block, conflict?.hash, conflict?.oldHead], [5, hashOf("a", 5), 8]);
});

test("a block above the tip that is of neither branch is not known to be wrong", () => {
  assert.equal(findConflict(known({ stored: of("c", 8) }), view("b", 5, 6), view("a", 5, 8)), null);
});

test("a view whose tip is lower on the same branch drops nothing above it", () => {
  assert.equal(findConflict(known({ stored: of("a", 8) }), view("a", 5, 6), view("a", 5, 8)), null);
});

test("a number without a block on one branch and with one on the other is a conflict in both directions", () => {
  const [five, , seven] = view("a", 5, 7).headers;
  assert(five !== undefined && seven !== undefined);
  const skipped = new CanonicalView([five, seven]);
  assert.equal(findConflict(known({ absent: [6], stored: [[5, five.hash]] }), skipped, skipped), null);
  const stored = findConflict(known({ stored: of("a", 5, 6) }), skipped, none);
  assert.equal(stored?.block, 6);
  const absent = findConflict(known({ absent: [6] }), view("a", 5, 7), none);
  assert.deepEqual([absent?.block, absent?.hash, absent?.branch[0]?.number], [6, null, 6]);
});
