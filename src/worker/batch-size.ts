import { busyEnough } from "./fetch-depth.js";

/** A batch should take at most so much of the worker's own time, ... */
const busyTargetMs = 250;
/** ... and where the worker is busy anyway, this suffices to spread the cost of a commit. */
const enoughMs = 60;
/** It should be done after so long, however far away the node is: a worker that dies loses little. */
const targetMs = 2_000;
/** Its rows may take so much memory, in bytes: up to three batches are under way. */
const mostRowBytes = 10 * 1024 * 1024;

/**
 * How many jobs to claim next. It starts at one, and doubles while full batches stay well within the targets:
 * light blocks go in large batches, and so do those of a node that is far away, of which many must be under way
 * to keep the worker busy. It shrinks in proportion when a batch takes longer: heavy blocks do not blow a worker up.
 */
export function nextBatchSize(seen: {
  current: number;
  claimed: number;
  /** How long the worker computed while the batch was prepared. */
  busyMs: number;
  /** How long that took, with what it waited for. */
  tookMs: number;
  /** The part of its time that the worker computed, from 0 to 1. */
  utilization: number;
  /** Bytes of a block's rows, on average; 0: not known. */
  rowBytes: number;
  max: number;
}): number {
  const { current, claimed, busyMs, tookMs, utilization, rowBytes } = seen;
  if (claimed === 0) return current;
  const room = rowBytes === 0 ? seen.max : Math.floor(mostRowBytes / rowBytes);
  const max = Math.max(1, Math.min(seen.max, room));
  const share = Math.max(busyMs / busyTargetMs, tookMs / targetMs);
  if (share > 2) return Math.max(1, Math.floor(claimed / share));
  const hasTime = utilization < busyEnough || busyMs < enoughMs;
  if (claimed >= current && share < 1 && hasTime) return Math.min(max, current * 2);
  return Math.min(current, max);
}
