/** From which second on which fraction holds (EIP-4844, BLOB_BASE_FEE_UPDATE_FRACTION). */
type Schedule = readonly (readonly [from: number, fraction: bigint])[];

// Cancun, Prague (EIP-7691), and the blob parameter forks (EIP-7892) BPO1 and BPO2: github.com/eth-clients.
const cancun = 3_338_477n;
const prague = 5_007_716n;
const bpo1 = 8_346_193n;
const bpo2 = 11_684_671n;

const SCHEDULES: Readonly<Record<number, Schedule>> = {
  // Ethereum, Sepolia, Hoodi.
  1: [
    [1_710_338_135, cancun],
    [1_746_612_311, prague],
    [1_765_290_071, bpo1],
    [1_767_747_671, bpo2],
  ],
  11155111: [
    [1_706_655_072, cancun],
    [1_741_159_776, prague],
    [1_761_017_184, bpo1],
    [1_761_607_008, bpo2],
  ],
  560048: [
    [0, cancun],
    [1_742_999_832, prague],
    [1_762_365_720, bpo1],
    [1_762_955_544, bpo2],
  ],
};

/** No block's is near it; it bounds the work where the header lies. */
const MAX_EXPONENT = 150n;

export interface BlobHeader {
  timestamp: number;
  excessBlobGas: bigint;
}

/**
 * What a blob gas costs in a block, in wei, where that is known for sure: each fork may change it, so of the newest one that
 * is known here it is not known until when it holds. Null: not known.
 */
export function knownBlobPrice(chainId: number, { timestamp, excessBlobGas }: BlobHeader): bigint | null {
  const schedule = SCHEDULES[chainId] ?? [];
  const next = schedule.findIndex(([from]) => from > timestamp);
  const fraction = schedule[next - 1]?.[1];
  if (fraction === undefined || excessBlobGas > fraction * MAX_EXPONENT) return null;
  return exponential(excessBlobGas, fraction);
}

/** e to the power of a fraction, rounded down as EIP-4844 does (`fake_exponential` with factor 1). */
function exponential(numerator: bigint, denominator: bigint): bigint {
  let sum = 0n;
  let term = denominator;
  for (let i = 1n; term > 0n; i += 1n) {
    sum += term;
    term = (term * numerator) / (denominator * i);
  }
  return sum / denominator;
}
