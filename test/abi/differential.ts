import assert from "node:assert/strict";
import { decoded } from "./decoded.js";
import { randomLog, randomOf } from "./random-logs.js";
import { viemRow } from "./viem-row.js";

export type Outcome = "identical" | "both refuse" | "stricter" | "viem's limit";

/** A random log is the same row here and in viem, or both refuse it. Throws where that does not hold. */
export function compareWithViem(seed: number): Outcome {
  const { event, abi, log } = randomLog(randomOf(seed));
  const ours = decoded(event, log);
  const theirs = viemRow(abi, log);
  const told = `seed ${seed}: ${event.definition} ${JSON.stringify(log)}`;
  if ("row" in theirs) {
    assert.deepEqual(ours, theirs.row, told);
    return "identical";
  }
  if (theirs.refused === "limit") return "viem's limit";
  assert.equal(ours, undefined, told);
  return theirs.refused === "viem" ? "both refuse" : "stricter";
}
