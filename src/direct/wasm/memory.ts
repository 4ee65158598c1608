// Where things lie in the module's memory, and what is handed out of it. Nothing is ever freed one by one: each
// block begins anew.
//
//   [fixed regions][the two answers][what was read of them][the tables' rows, or RLP]

import { LEFT_TOO_LARGE } from "./generated/layout";

/** The reason that was given; 0: none, or it was not foreseen. */
export let reason: i32 = 0;

/** Leaves the module. Whatever it was about, the block goes the long way, where an error says what is wrong. */
export function leave(why: i32): void {
  reason = why;
  unreachable();
}

export function leaveUnless(holds: bool, why: i32): void {
  if (!holds) leave(why);
}

const FIXED: usize = (__heap_base + 63) & ~63;
/** 32 bytes: a hash that was just made. */
export const HASH_AT: usize = FIXED;
/** 32 bytes: what a hash is compared with. */
export const SCRATCH_AT: usize = FIXED + 32;
/** The Keccak state, and the last block of a message. */
export const KECCAK_AT: usize = FIXED + 64;
/** Three blooms: of a receipt, of the block, and what the node says. */
export const BLOOMS_AT: usize = KECCAK_AT + 448;
/** What JavaScript reads when it is over, and writes before. */
export const RESULT_AT: usize = BLOOMS_AT + 768;
export const VERIFIED_AT: usize = RESULT_AT + 256;
export const VERIFIED_BYTES: usize = 1024;
/** The names of fields, and where to find them. */
export const NAMES_AT: usize = VERIFIED_AT + VERIFIED_BYTES;
export const NAMES_BYTES: usize = 16 * 1024;
/** The bits of a bloom's entries. */
export const CACHE_AT: usize = NAMES_AT + NAMES_BYTES;
export const CACHE_PLACES: u32 = 16_384;
export const CACHE_PLACE_BYTES: usize = 80;
/** Where a block's own memory begins. */
export const BLOCK_AT: usize = CACHE_AT + (CACHE_PLACES as usize) * CACHE_PLACE_BYTES;

/** Beyond every end there are so many bytes more, which may be read or written in vain. */
export const SLACK: usize = 128;

let free: usize = BLOCK_AT;

/** Makes the memory reach to `end`. By half at least: each time costs the engine as much as the memory is large. */
export function reach(end: usize): void {
  const pages = <i32>((end + SLACK + 0xffff) >>> 16);
  const missing = pages - memory.size();
  if (missing <= 0 || memory.grow(max<i32>(missing, memory.size() / 2)) >= 0) return;
  if (memory.grow(missing) < 0) leave(LEFT_TOO_LARGE);
}

/** Begins a block. */
export function startBlock(): void {
  free = BLOCK_AT;
  reason = 0;
}

/** Memory that holds anything. */
export function take(bytes: usize): usize {
  const at = free;
  free = at + ((bytes + 7) & ~7);
  reach(free);
  return at;
}

/** Memory that holds zeros. */
export function takeZeros(bytes: usize): usize {
  const at = take(bytes);
  memory.fill(at, 0, bytes);
  return at;
}

/** The end of what was taken. Who writes beyond it takes nothing any more. */
export function takenTo(): usize {
  return free;
}
