// Which checks hold on which chain. Ethereum's rules are the default; a chain is listed here only for
// what differs. Where it is not known for sure that a check holds, the check is skipped with a reason
// that begins with "not verified": refusing good blocks is worse than proving less. What is skipped is
// tried all the same (verify-block.ts): a block is never refused for it, and gets what holds.

import { CHEAP_CHECKS, type Check, ROOT_CHECKS } from "../../fields/direct-layout.js";

export interface Skip {
  reason: string;
  /** The check holds from this block on; without it, never. */
  until?: number;
}

export interface ChainRules {
  chainId: number;
  skips: Readonly<Partial<Record<Check, Skip>>>;
  /**
   * Transaction types whose encoding is not known here. Their fields are stored unproven, and a block
   * that has one has no provable transactionsRoot and receiptsRoot.
   */
  opaqueTypes: ReadonlySet<number>;
  /** Polygon: an unsigned transaction at a block's end may be outside of all roots. */
  stateSync: boolean;
  /** Filecoin: there may be no block at a number. The next one's parent is then the last one before it. */
  nullRounds: boolean;
  /** Its first blocks are another chain's, whose transactions name that one. */
  inheritsBlocks: boolean;
}

/** Chains that began as a copy of another one: PulseChain and its testnet, EthereumPoW, EthereumFair; anvil, Hardhat and Ganache. */
const COPIES: readonly number[] = [369, 943, 10_001, 513_100, 31_337, 1337];

/** The rules of a chain; Ethereum's, if the chain is not listed. */
export function rulesFor(chainId: number): ChainRules {
  const own = CHAINS.find(({ chainIds }) => chainIds.includes(chainId));
  return {
    chainId,
    skips: own?.skips ?? {},
    opaqueTypes: new Set(own?.opaqueTypes),
    stateSync: own?.stateSync ?? false,
    nullRounds: own?.nullRounds ?? false,
    inheritsBlocks: COPIES.includes(chainId),
  };
}

/** Whether a check is to be made at a block of this number. */
export function holds(rules: ChainRules, check: Check, number: number): boolean {
  const skip = rules.skips[check];
  return skip === undefined || (skip.until !== undefined && number >= skip.until);
}

/** The chain's exceptions, one line each, to be shown once. Empty: all checks hold. */
export function exceptionsOf(rules: ChainRules): string[] {
  const lines = Object.entries(rules.skips).map(([check, { reason, until }]) => {
    return `${check}${until === undefined ? "" : ` below block ${until}`}: ${reason}`;
  });
  if (rules.opaqueTypes.size > 0) {
    const types = [...rules.opaqueTypes].map((type) => `0x${type.toString(16)}`).join(", ");
    lines.push(`transactions of type ${types}: not verified: the chain's own encoding`);
  }
  if (rules.stateSync) {
    lines.push("state-sync transactions: no root covers them; only their hash is verified");
  }
  return lines;
}

interface ChainEntry {
  chainIds: readonly number[];
  skips?: ChainRules["skips"];
  opaqueTypes?: readonly number[];
  stateSync?: boolean;
  nullRounds?: boolean;
}

const CHEAP: readonly Check[] = CHEAP_CHECKS;
const ROOTS: readonly Check[] = [...ROOT_CHECKS, "senders"];

function skip(checks: readonly Check[], reason: string, until?: number): ChainRules["skips"] {
  const entry = until === undefined ? { reason } : { reason, until };
  return Object.fromEntries(checks.map((check) => [check, entry]));
}

// specs.optimism.io: protocol/deposits (0x7e), isthmus/exec-engine (withdrawalsRoot is the storage root
// of the L2ToL1MessagePasser), jovian/exec-engine (blobGasUsed is the data availability footprint).
const OP_STACK: ChainRules["skips"] = {
  withdrawalsRoot: { reason: "since Isthmus the storage root of the message passer" },
  blobGas: { reason: "since Jovian the data availability footprint" },
};

const TENDERMINT = "the block is CometBFT's: its hash and roots are not Ethereum's";
const ZK_STACK = "ZK stack: hash, roots and bloom are not Ethereum's";
const OP_LIKE = "not verified: derived from the OP stack, with changes of its own";

const CHAINS: readonly ChainEntry[] = [
  {
    // OP Mainnet. Before Bedrock it was another program, whose deposits have no signature.
    chainIds: [10],
    skips: {
      ...skip([...CHEAP, ...ROOTS], "not verified: blocks from before Bedrock", 105_235_063),
      ...OP_STACK,
    },
  },
  {
    // The Superchain's mainnets, then its Sepolia testnets.
    chainIds: [
      8453, 130, 480, 57_073, 1868, 252, 34_443, 1135, 690, 360, 5330, 60_808, 1750, 1923, 7_777_777,
      11_155_420, 84_532, 1301, 4801, 763_373, 1946, 4202,
    ],
    skips: OP_STACK,
  },
  {
    // opBNB, Blast, Mantle, Zircuit, MegaETH, Boba, Ancient8, RSS3, PGN.
    chainIds: [204, 5611, 81_457, 5000, 48_900, 4326, 288, 888_888_888, 12_553, 424],
    skips: skip(ROOTS, OP_LIKE),
  },
  {
    // Celo. An L2 of the OP stack since block 31056500; before, headers lacked fields of Ethereum's.
    chainIds: [42_220],
    skips: {
      ...skip([...CHEAP, ...ROOTS], "not verified: blocks from before the L2", 31_056_500),
      ...OP_STACK,
      prices: { reason: "fees may be paid in other currencies" },
    },
    opaqueTypes: [0x7b, 0x7c, 0x7d],
  },
  {
    chainIds: [44_787, 11_142_220],
    skips: skip(ROOTS, "not verified: Celo's testnets"),
  },
  {
    // Arbitrum One. Blocks up to 22207817 are of Arbitrum Classic.
    chainIds: [42_161],
    skips: {
      ...skip([...CHEAP, ...ROOTS], "not verified: blocks of Arbitrum Classic", 22_207_818),
      ...arbitrum(),
    },
    opaqueTypes: [0x64, 0x65, 0x66, 0x68, 0x69, 0x6a, 0x78],
  },
  {
    // Nova, Sepolia, and chains of Orbit: ApeChain, Xai, Degen, Sanko, Rari, Gravity.
    chainIds: [42_170, 421_614, 33_139, 660_279, 666_666_666, 1996, 1_380_012_617, 1625],
    skips: arbitrum(),
    opaqueTypes: [0x64, 0x65, 0x66, 0x68, 0x69, 0x6a, 0x78],
  },
  {
    // Polygon PoS and Amoy. PIP-74 made state-sync transactions a type (0x7f) that the roots cover.
    chainIds: [137, 80_002],
    skips: {
      gas: { reason: "state-sync transactions use none, and their receipts count as they like" },
    },
    opaqueTypes: [0x7f],
    stateSync: true,
  },
  {
    // Gnosis. Until the merge (December 2022, shortly before this block), AuRa: two seal fields stand
    // where Ethereum has mixHash and nonce.
    chainIds: [100],
    skips: skip(["hash"], "AuRa headers were sealed otherwise", 25_400_000),
  },
  {
    chainIds: [10_200],
    skips: skip(["hash"], "not verified: AuRa headers were sealed otherwise"),
  },
  {
    // zkSync Era and its Sepolia, Abstract, Sophon, Treasure, BattleChain, Lens, Zero.
    chainIds: [324, 300, 2741, 11_124, 50_104, 531_050_104, 61_166, 978_658, 626, 627, 232, 543_210],
    skips: { ...skip(["gas", "logsBloom"], ZK_STACK), ...skip(ROOTS, ZK_STACK) },
  },
  {
    // Evmos, Cronos, Kava, Canto, Sei, Injective, ZetaChain, Dymension, Haqq.
    chainIds: [9001, 25, 2222, 7700, 1329, 1776, 7000, 1100, 11_235],
    skips: { ...skip(CHEAP, TENDERMINT), ...skip(ROOTS, TENDERMINT) },
  },
  {
    // Fantom, Sonic.
    chainIds: [250, 146],
    skips: {
      ...skip(["gas", "logsBloom"], "not verified: blocks of Lachesis"),
      ...skip(ROOTS, "not verified: blocks of Lachesis, whose hash is an event's on Fantom"),
    },
  },
  {
    // Avalanche C-Chain and Fuji: extDataHash, extDataGasUsed and blockGasCost are part of the header.
    chainIds: [43_114, 43_113],
    skips: {
      hash: { reason: "headers have fields that Ethereum's have not" },
      prices: { reason: "not verified: its own fee rules" },
    },
  },
  {
    // Filecoin: a tipset is shown as a block. An epoch may have none.
    chainIds: [314, 314_159],
    nullRounds: true,
    skips: skip([...CHEAP, ...ROOTS], "a tipset shown as a block: hash, roots and bloom are made up"),
  },
  {
    // Hedera.
    chainIds: [295, 296],
    skips: skip(
      [...CHEAP, ...ROOTS],
      "record files shown as blocks: the hash is SHA-384's, the roots are made up",
    ),
  },
  {
    // Moonbeam, Moonriver, Moonbase, Astar: Frontier shows a base fee that its headers do not hash.
    chainIds: [1284, 1285, 1287, 592],
    skips: skip(ROOTS, "not verified: Frontier's headers, and unsigned transactions that came by XCM"),
  },
  {
    // Scroll: 0x7e is an L1 message of its own encoding.
    chainIds: [534_352, 534_351],
    skips: {
      hash: { reason: "not verified: Scroll's own header rules" },
      prices: { reason: "not verified: Scroll's own fee rules" },
    },
    opaqueTypes: [0x7e],
  },
  {
    chainIds: [1101],
    skips: skip([...CHEAP, ...ROOTS], "not verified: Polygon zkEVM blocks"),
  },
  {
    // Berachain: headers name the parent's proposer (BRIP-0004), and 0x7e is a transaction of its own.
    chainIds: [80_094, 80_069],
    skips: {
      hash: { reason: "headers have a field that Ethereum's have not" },
      prices: { reason: "not verified: its own fee rules" },
    },
    opaqueTypes: [0x7e],
  },
  {
    // HyperEVM: system transactions are shown beside the block.
    chainIds: [999, 998],
    skips: skip([...CHEAP, ...ROOTS], "not verified: system transactions outside of the block"),
  },
  {
    // Metis, Kaia, Harmony, IoTeX, Rootstock, XDC, Theta, Ronin, Conflux eSpace, Tron, VeChain, Aurora, Boba BNB; Flow EVM
    // and its testnet; Tempo and its testnet, whose transactions of type 0x76 have calls for to, value and input.
    chainIds: [
      1088, 8217, 1_666_600_000, 4689, 30, 31, 50, 51, 361, 2020, 1030, 728_126_428, 100_009, 1_313_161_554,
      56_288, 747, 545, 4217, 42_431,
    ],
    skips: skip([...CHEAP, ...ROOTS], "not verified: its own block format"),
  },
];

/**
 * Nitro's headers are Ethereum's; what pays for L1 is in gas used and price, and what it adds to
 * receipts was not confirmed (docs.arbitrum.io, build-decentralized-apps/arbitrum-vs-ethereum/rpc-methods).
 */
function arbitrum(): ChainRules["skips"] {
  return {
    gas: { reason: "not verified: gas for L1 is counted in" },
    transactionsRoot: { reason: "each block begins with a transaction of Arbitrum's own encoding" },
    receiptsRoot: { reason: "not verified: receipts of Arbitrum's own types" },
    prices: { reason: "tips are not paid" },
    contractAddresses: { reason: "not verified: retryables create contracts for others" },
  };
}
