// Signs thousands of transactions a second by keeping a pool of ECDSA nonces whose curve points are
// computed once. Used nonces give a key away, which is of no matter to keys that own nothing.
import { normalizeZ } from "@noble/curves/abstract/curve.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { word } from "./hex.js";
import { keccak } from "./keccak.js";
import { Random } from "./random.js";

export interface Account {
  privateKey: bigint;
  address: Uint8Array;
}

export interface Signature {
  r: bigint;
  /** In the lower half of the curve's order (EIP-2). */
  s: bigint;
  yParity: 0 | 1;
}

interface Nonce {
  inverse: bigint;
  r: bigint;
  yParity: 0 | 1;
}

const ACCOUNTS = 64;
const NONCES = 512;
const ORDER = secp256k1.Point.CURVE().n;

/** Accounts and signatures of one seed; `random` signatures look real but recover to nobody in particular. */
export class Signer {
  readonly accounts: readonly Account[];
  readonly #nonces: readonly Nonce[];
  readonly #kind: "real" | "random";

  constructor({ seed, signatures }: { seed: number; signatures: "real" | "random" }) {
    this.#kind = signatures;
    const random = new Random(`${seed}/accounts`);
    this.accounts = multiples(random.bigint(250), ACCOUNTS).map(({ scalar, x, y }) => ({
      privateKey: scalar,
      address: keccak(Buffer.concat([word(x), word(y)])).slice(12),
    }));
    this.#nonces =
      signatures === "random"
        ? []
        : multiples(random.bigint(250), NONCES).map(({ scalar, x, y }) => ({
            inverse: invert(scalar),
            r: x % ORDER,
            yParity: y % 2n === 0n ? 0 : 1,
          }));
  }

  /** Signs a 32-byte digest; the same digest and account give the same signature. */
  sign(account: Account, digest: Uint8Array): Signature {
    const bytes = Buffer.from(digest);
    if (this.#kind === "random") {
      const random = new Random(bytes.toString("hex"));
      return { r: random.bigint(255), s: random.bigint(254), yParity: random.chance(0.5) ? 1 : 0 };
    }
    const nonce = this.#nonces[bytes.readUInt32LE(0) % NONCES];
    if (!nonce) throw new RangeError("no nonce");
    const s = (nonce.inverse * (BigInt(`0x${bytes.toString("hex")}`) + nonce.r * account.privateKey)) % ORDER;
    if (s <= ORDER / 2n) return { r: nonce.r, s, yParity: nonce.yParity };
    return { r: nonce.r, s: ORDER - s, yParity: nonce.yParity === 0 ? 1 : 0 };
  }
}

/** The points first*G, (first+1)*G, ...: one addition each instead of a multiplication. */
function multiples(first: bigint, count: number): { scalar: bigint; x: bigint; y: bigint }[] {
  const { Point } = secp256k1;
  const points = [Point.BASE.multiply(first)];
  for (let i = 1; i < count; i += 1) {
    const last = points[i - 1];
    if (last) points.push(last.add(Point.BASE));
  }
  return normalizeZ(Point, points).map((point, i) => ({
    scalar: first + BigInt(i),
    x: point.x,
    y: point.y,
  }));
}

/** The inverse modulo the curve's order, by the extended Euclidean algorithm. */
function invert(value: bigint): bigint {
  let [a, b, u, v] = [value % ORDER, ORDER, 1n, 0n];
  while (a !== 0n) {
    const q = b / a;
    [a, b] = [b - q * a, a];
    [u, v] = [v - q * u, u];
  }
  return ((v % ORDER) + ORDER) % ORDER;
}
