// Bloom filters of logs (yellow paper, section 4.3.1): three bits of 2048 for each address and each topic, from the first
// three 16-bit words of its Keccak-256. Blocks repeat the same contracts, events and accounts, so an entry's bits are
// remembered until another one takes its place.

import { ADDRESS, LOGS, LOGS_BLOOM, TOPICS } from "./generated/fields";
import { LEFT_PROOF } from "./generated/layout";
import { decode, isSame } from "./hex";
import { receiptAt, receiptCount } from "./json";
import { keccak } from "./keccak";
import {
  BLOOMS_AT,
  CACHE_AT,
  CACHE_PLACE_BYTES,
  CACHE_PLACES,
  HASH_AT,
  leaveUnless,
  SCRATCH_AT,
} from "./memory";
import { digitsOf, lengthOf, valueAt } from "./object";

const BLOOM_BYTES: usize = 256;
const OF_RECEIPT: usize = BLOOMS_AT;
const OF_BLOCK: usize = BLOOMS_AT + BLOOM_BYTES;
const TOLD: usize = BLOOMS_AT + 2 * BLOOM_BYTES;

/** Each receipt's bloom follows from its logs, and the header's from all of them. */
export function checkBlooms(header: usize): void {
  memory.fill(OF_BLOCK, 0, BLOOM_BYTES);
  for (let i: u32 = 0; i < receiptCount; i++) {
    const receipt = receiptAt(i);
    const count = lengthOf(receipt, LOGS);
    const list = valueAt(receipt, LOGS);
    memory.fill(OF_RECEIPT, 0, BLOOM_BYTES);
    for (let j: usize = 0; j < count; j++) addLog(load<u32>(list + 4 * j) as usize);
    decode(digitsOf(receipt, LOGS_BLOOM), BLOOM_BYTES, TOLD);
    leaveUnless(isSame(OF_RECEIPT, TOLD, BLOOM_BYTES), LEFT_PROOF);
    for (let j: usize = 0; j < BLOOM_BYTES; j += 16) {
      v128.store(OF_BLOCK + j, v128.or(v128.load(OF_BLOCK + j), v128.load(OF_RECEIPT + j)));
    }
  }
  decode(digitsOf(header, LOGS_BLOOM), BLOOM_BYTES, TOLD);
  leaveUnless(isSame(OF_BLOCK, TOLD, BLOOM_BYTES), LEFT_PROOF);
}

function addLog(log: usize): void {
  addEntry(digitsOf(log, ADDRESS), 40);
  const count = lengthOf(log, TOPICS);
  const list = valueAt(log, TOPICS);
  for (let i: usize = 0; i < count; i++) addEntry((load<u32>(list + 4 * i) as usize) + 2, 64);
}

/** A place of the cache holds an entry's digits, how many they are, and its three bits. */
function addEntry(digits: usize, count: usize): void {
  const place = CACHE_AT + (placeOf(digits, count) as usize) * CACHE_PLACE_BYTES;
  if ((load<u8>(place, 64) as usize) !== count || !isSame(place, digits, count)) {
    decode(digits, count / 2, SCRATCH_AT);
    keccak(SCRATCH_AT, count / 2);
    memory.copy(place, digits, count);
    store<u8>(place, count as u8, 64);
    for (let i: usize = 0; i < 6; i += 2) {
      store<u16>(place + i, (bswap<u16>(load<u16>(HASH_AT + i)) & 2047) as u16, 66);
    }
  }
  setBit(load<u16>(place, 66) as usize);
  setBit(load<u16>(place, 68) as usize);
  setBit(load<u16>(place, 70) as usize);
}

/** By its last eight digits, in which addresses, hashes and small numbers all differ. */
function placeOf(digits: usize, count: usize): u32 {
  const last = load<u64>(digits + count - 8) * 0x9e3779b97f4a7c15;
  return ((last >> 40) as u32) & (CACHE_PLACES - 1);
}

/** Bit 0 is the lowest bit of the last byte. */
function setBit(bit: usize): void {
  const at = OF_RECEIPT + BLOOM_BYTES - 1 - (bit >> 3);
  store<u8>(at, ((load<u8>(at) as u32) | (1 << ((bit as u32) & 7))) as u8);
}
