// The little of the contract ABI that token events need: words and dynamic arrays of words.
// https://docs.soliditylang.org/en/latest/abi-spec.html
//
// Nothing here throws: data that is not what it should be reads as undefined.

import type { Hex, Quantity } from "../block.js";

/** ABI data: whole words of 32 bytes. */
export interface AbiData {
  /** Without 0x. */
  digits: string;
  words: number;
}

const WORD_DIGITS = 64;

/** Undefined if it is not whole words. */
export function abiDataOf(data: Hex): AbiData | undefined {
  const digits = data.slice(2);
  return digits.length % WORD_DIGITS === 0 ? { digits, words: digits.length / WORD_DIGITS } : undefined;
}

/** The word at `index` as a number. */
export function wordAt(data: AbiData, index: number): Quantity | undefined {
  if (index >= data.words) return undefined;
  return wordToQuantity(data.digits.slice(index * WORD_DIGITS, (index + 1) * WORD_DIGITS));
}

/** 64 digits as a number without leading zeros. */
export function wordToQuantity(word: string): Quantity {
  let first = 0;
  while (first < word.length - 1 && word.charCodeAt(first) === 48) first += 1;
  return `0x${word.slice(first)}`;
}

/**
 * The uint256[] whose offset is the word at `headIndex`. It must lie within the data, on a word, as
 * every ABI encoder puts it; so it never has more entries than the data has words.
 */
export function uintArrayAt(data: AbiData, headIndex: number): Quantity[] | undefined {
  const start = Number(wordAt(data, headIndex)) / 32;
  if (!Number.isInteger(start) || start >= data.words) return undefined;
  const length = Number(wordAt(data, start));
  const array: Quantity[] = [];
  // However long it says it is, it ends where the data ends.
  for (let index = 0; index < length; index += 1) {
    const word = wordAt(data, start + 1 + index);
    if (word === undefined) return undefined;
    array.push(word);
  }
  return array;
}
