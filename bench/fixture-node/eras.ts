/** The first block at which each upgrade is in force. */
export interface Eras {
  /** EIP-155: signatures that name the chain. */
  spuriousDragon: number;
  /** EIP-658: receipts with a status instead of a state root. */
  byzantium: number;
  /** EIP-2930: type 1. */
  berlin: number;
  /** EIP-1559: type 2 and the base fee. */
  london: number;
  /** The merge: difficulty 0, no uncles. */
  paris: number;
  /** EIP-4895: withdrawals. */
  shanghai: number;
  /** EIP-4844 and EIP-4788: type 3, blob gas, the beacon root. */
  cancun: number;
  /** EIP-7702 and EIP-7685: type 4, the requests hash. */
  prague: number;
  /** A fork that no program knows: one more field is hashed, `unknownRoot`. */
  unknown: number;
}

const never = Number.MAX_SAFE_INTEGER;

export type EraName = keyof Eras;

/** `prague`: everything from the start. `compressed`: an upgrade every ten blocks. `mainnet`: the real heights. */
export type EraPreset = "prague" | "compressed" | "mainnet";

export const PRESETS: Readonly<Record<EraPreset, Eras>> = {
  prague: {
    spuriousDragon: 0,
    byzantium: 0,
    berlin: 0,
    london: 0,
    paris: 0,
    shanghai: 0,
    cancun: 0,
    prague: 0,
    unknown: never,
  },
  compressed: {
    spuriousDragon: 10,
    byzantium: 20,
    berlin: 30,
    london: 40,
    paris: 50,
    shanghai: 60,
    cancun: 70,
    prague: 80,
    unknown: never,
  },
  mainnet: {
    spuriousDragon: 2_675_000,
    byzantium: 4_370_000,
    berlin: 12_244_000,
    london: 12_965_000,
    paris: 15_537_394,
    shanghai: 17_034_870,
    cancun: 19_426_587,
    prague: 22_431_084,
    unknown: never,
  },
};
